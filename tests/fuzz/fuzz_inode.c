// SPDX-License-Identifier: GPL-2.0-only
/*
 * Inodes. The input: fields of the superblock (image.h), the inode's number, the
 * inode, which may be truncated anywhere.
 */
#include "image.h"

static void check_layout(const struct od_sb *sb, const struct od_inode *inode, const u8 *p)
{
	u16 format = get_unaligned_le16(p);
	bool dir = (inode->mode & OD_S_IFMT) == OD_S_IFDIR;
	bool wide = format & 1 || (format & 0x10 && !dir);
	u32 u = get_unaligned_le32(p + 16);
	u64 block = u | (wide ? (u64)get_unaligned_le16(p + 6) << 32 : 0);

	must(!inode->hole || (inode->layout == OD_LAYOUT_FLAT_PLAIN && u == U32_MAX));
	if (!has_data(inode)) {
		must(inode->size == 0);
		return;
	}
	if (od_inode_is_compressed(inode)) {
		must(inode->encoded_size == block << sb->blkbits);
		return;
	}
	if (inode->layout != OD_LAYOUT_CHUNK_BASED) {
		must(inode->layout == OD_LAYOUT_FLAT_PLAIN ||
		     inode->layout == OD_LAYOUT_FLAT_INLINE);
		must(inode->start_off == block << sb->blkbits);
		return;
	}
	must(inode->chunkbits >= sb->blkbits && inode->chunkbits <= 47);
	must(inode->chunkbits == sb->blkbits + (u & 0x1f));
	must(inode->entry_size == (u & 0x20 ? 8 : 4));
	must(inode->chunk_48bit == !!(u & 0x40));
	must(!(u & 0xffff & ~0x7fU));
}

static void check_inode(const struct od_sb *sb, const struct od_inode *inode, const u8 *p,
			size_t len)
{
	u16 type = inode->mode & OD_S_IFMT, format = get_unaligned_le16(p);
	u16 icount = get_unaligned_le16(p + 2);

	must(inode->inode_size == (format & 1 ? 64 : 32) && inode->inode_size <= len);
	must(inode->mode == get_unaligned_le16(p + 4));
	must(has_data(inode) || type == OD_S_IFCHR || type == OD_S_IFBLK ||
	     type == OD_S_IFIFO || type == OD_S_IFSOCK);
	must(inode->size <= (u64)S64_MAX);
	must(inode->mtime_nsec < 1000000000U);
	must(inode->xattr_size == (icount ? 12 + 4 * (icount - 1U) : 0));
	must(od_inode_body_end(inode) - inode->off == inode->inode_size + inode->xattr_size);
	must(inode->nlink);
	must(!inode->dot_omitted || type == OD_S_IFDIR);
	must(type == OD_S_IFDIR || !(format & 0x10) || inode->nlink == 1);
	if (type == OD_S_IFCHR || type == OD_S_IFBLK)
		must(inode->rdev == get_unaligned_le32(p + 16));
	check_layout(sb, inode, p);
}

int LLVMFuzzerTestOneInput(const u8 *data, size_t size)
{
	struct feed feed = { data, size };
	struct od_sb sb = feed_sb(&feed);
	u64 nid = feed64(&feed), off = 0;
	const char *why = NULL;
	struct od_inode inode;
	size_t len;
	u8 *p;
	int err;

	if (od_inode_offset(&sb, nid, (u64)S64_MAX, &off))
		return 0;
	p = feed_rest(&feed, sizeof(struct od_disk_inode_extended), &len);
	err = od_inode_parse(&sb, nid, off, p, len, &inode, &why);
	if (err) {
		must(err == -EOPNOTSUPP || err == -EUCLEAN);
		must(why && *why);
	} else {
		must(inode.nid == nid && inode.off == off);
		check_inode(&sb, &inode, p, len);
	}
	free(p);
	return 0;
}
