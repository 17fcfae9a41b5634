// SPDX-License-Identifier: GPL-2.0-only
#include "inode.h"
#include "verdict.h"

/* Inode numbers are in 32-byte units: beyond this, offsets would overflow 64 bits. */
#define OD_NID_MAX	(((u64)1 << 58) - 1)
#define OD_SIZE_MAX	(((u64)1 << 63) - 1)

int od_inode_offset(const struct od_sb *sb, u64 nid, u64 size, u64 *off)
{
	bool boxed = nid & OD_NID_METABOX;
	u64 nr = nid & ~OD_NID_METABOX, at;

	if (nr > OD_NID_MAX || (boxed && !sb->metabox))
		return -EUCLEAN;
	at = (boxed ? 0 : sb->meta_off) + (nr << OD_NID_SHIFT);
	if (at >= size || size - at < sizeof(struct od_disk_inode_compact))
		return -EUCLEAN;
	*off = at;
	return 0;
}

static void od_inode_compact(const struct od_sb *sb, const struct od_disk_inode_compact *disk,
			     struct od_inode *inode)
{
	inode->size = le32_to_cpu(disk->size);
	inode->uid = le16_to_cpu(disk->uid);
	inode->gid = le16_to_cpu(disk->gid);
	inode->nlink = le16_to_cpu(disk->nlink);
	inode->mtime = (s64)(sb->epoch + le32_to_cpu(disk->mtime));
	inode->mtime_nsec = sb->fixed_nsec;
}

static void od_inode_extended(const struct od_disk_inode_extended *disk, struct od_inode *inode)
{
	inode->size = le64_to_cpu(disk->size);
	inode->uid = le32_to_cpu(disk->uid);
	inode->gid = le32_to_cpu(disk->gid);
	inode->nlink = le32_to_cpu(disk->nlink);
	inode->mtime = (s64)le64_to_cpu(disk->mtime);
	inode->mtime_nsec = le32_to_cpu(disk->mtime_nsec);
}

static int od_inode_chunks(const struct od_sb *sb, u32 format,
			   struct od_inode *inode, const char **why)
{
	/*
	 * OD_FEATURE_INCOMPAT_CHUNKED_FILE is not required: mkfs.erofs does not set it in an
	 * image merged from others. The format uses 16 of the field's 32 bits; the rest is
	 * reserved.
	 */
	format &= 0xffff;
	if (format & ~OD_CHUNK_KNOWN)
		return od_refuse(why, "unknown chunk format");
	inode->chunk_48bit = format & OD_CHUNK_48BIT;
	inode->chunkbits = (u8)(sb->blkbits + (format & OD_CHUNK_BITS_MASK));
	inode->entry_size = format & OD_CHUNK_INDEXES ? sizeof(struct od_disk_chunk_index)
						      : sizeof(struct od_disk_chunk);
	return 0;
}

/**
 * struct od_inode_u - the field whose meaning depends on the layout
 * @lo: 32 bits
 * @hi: higher bits of a block number, or 0
 * @wide: @hi has them
 */
struct od_inode_u {
	u32 lo;
	u16 hi;
	bool wide;
};

/*
 * An extended inode always has the upper bits of a block number; writers that do not know them
 * leave 0. A compact inode has them in place of its link count, if that is otherwise known.
 */
static struct od_inode_u od_inode_u(const struct od_disk_inode_compact *disk)
{
	u16 format = le16_to_cpu(disk->format);
	bool dir = (le16_to_cpu(disk->mode) & OD_S_IFMT) == OD_S_IFDIR;
	struct od_inode_u u = { .lo = le32_to_cpu(disk->u) };

	u.wide = format & OD_I_EXTENDED || (!dir && format & OD_I_NLINK_1);
	if (u.wide)
		u.hi = le16_to_cpu(disk->nlink);
	return u;
}

static int od_inode_layout(const struct od_sb *sb, const struct od_inode_u *u,
			   struct od_inode *inode, const char **why)
{
	u64 block = (u64)u->hi << 32 | u->lo;

	switch (inode->layout) {
	case OD_LAYOUT_FLAT_PLAIN:
	case OD_LAYOUT_FLAT_INLINE:
		inode->hole = inode->layout == OD_LAYOUT_FLAT_PLAIN &&
			      block == (u->wide ? OD_BLOCK_HOLE_48 : OD_BLOCK_HOLE);
		inode->start_off = block << sb->blkbits;
		return 0;
	case OD_LAYOUT_CHUNK_BASED:
		return od_inode_chunks(sb, u->lo, inode, why);
	case OD_LAYOUT_COMPRESSED_FULL:
	case OD_LAYOUT_COMPRESSED_COMPACT:
		/* The data that follows the inode locates its blocks: core/zinode.h. */
		inode->encoded_size = block << sb->blkbits;
		return 0;
	default:
		return od_refuse(why, "unknown data layout");
	}
}

static int od_inode_type(const struct od_sb *sb, const struct od_inode_u *u,
			 struct od_inode *inode, const char **why)
{
	switch (inode->mode & OD_S_IFMT) {
	case OD_S_IFREG:
	case OD_S_IFDIR:
	case OD_S_IFLNK:
		return od_inode_layout(sb, u, inode, why);
	case OD_S_IFCHR:
	case OD_S_IFBLK:
		inode->rdev = u->lo;
		inode->size = 0;
		return 0;
	case OD_S_IFIFO:
	case OD_S_IFSOCK:
		inode->size = 0;
		return 0;
	default:
		return od_corrupt(why, "invalid file type");
	}
}

int od_inode_parse(const struct od_sb *sb, u64 nid, u64 off, const u8 *p,
		   size_t len, struct od_inode *inode, const char **why)
{
	const struct od_disk_inode_compact *disk = (const void *)p;
	struct od_inode_u u;
	u16 format, icount;

	if (len < sizeof(*disk))
		return od_corrupt(why, "truncated");
	memset(inode, 0, sizeof(*inode));
	format = le16_to_cpu(disk->format);
	if (format & ~OD_I_KNOWN)
		return od_refuse(why, "unknown inode format");
	inode->nid = nid;
	inode->off = off;
	inode->mode = le16_to_cpu(disk->mode);
	inode->layout = format >> OD_I_LAYOUT_SHIFT & OD_I_LAYOUT_MASK;
	inode->inode_size = format & OD_I_EXTENDED ? sizeof(struct od_disk_inode_extended)
						   : sizeof(*disk);
	if (len < inode->inode_size)
		return od_corrupt(why, "truncated");
	icount = le16_to_cpu(disk->xattr_icount);
	if (icount)
		inode->xattr_size = sizeof(struct od_disk_xattr_header) +
				    sizeof(struct od_disk_xattr_entry) * (icount - 1U);

	if (format & OD_I_EXTENDED)
		od_inode_extended((const void *)p, inode);
	else
		od_inode_compact(sb, disk, inode);
	if ((inode->mode & OD_S_IFMT) == OD_S_IFDIR)
		inode->dot_omitted = format & OD_I_DOT_OMITTED;
	else if (format & OD_I_NLINK_1)
		inode->nlink = 1;
	/* The kernel would treat it as unlinked and evict it with its last user. */
	if (!inode->nlink)
		return od_corrupt(why, "no links");
	if (inode->size > OD_SIZE_MAX)
		return od_corrupt(why, "invalid size");
	if (inode->mtime_nsec >= 1000000000U)
		return od_corrupt(why, "invalid time stamp");
	u = od_inode_u(disk);
	return od_inode_type(sb, &u, inode, why);
}
