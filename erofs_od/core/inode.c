// SPDX-License-Identifier: GPL-2.0-only
#include "inode.h"

/* Inode numbers are 32-byte units; beyond this they would not fit 64 bits of bytes. */
#define OD_NID_MAX	(((u64)1 << 58) - 1)
#define OD_SIZE_MAX	(((u64)1 << 63) - 1)

int od_inode_offset(const struct od_sb *sb, u64 nid, u64 blob_size, u64 *off)
{
	u64 at;

	if (nid > OD_NID_MAX)
		return -EUCLEAN;
	at = sb->meta_off + (nid << OD_NID_SHIFT);
	if (at >= blob_size || blob_size - at < OD_INODE_COMPACT_SIZE)
		return -EUCLEAN;
	*off = at;
	return 0;
}

static int od_inode_corrupt(const char **why, const char *what)
{
	*why = what;
	return -EUCLEAN;
}

static int od_inode_refuse(const char **why, const char *what)
{
	*why = what;
	return -EOPNOTSUPP;
}

static void od_inode_compact(const struct od_sb *sb, const u8 *p,
			     struct od_inode *inode)
{
	inode->size = od_le32(p + OD_I_SIZE_AT);
	inode->uid = od_le16(p + OD_IC_UID_AT);
	inode->gid = od_le16(p + OD_IC_GID_AT);
	inode->nlink = od_le16(p + OD_I_NB_AT);
	inode->mtime = (s64)(sb->epoch + od_le32(p + OD_IC_MTIME_AT));
	inode->mtime_nsec = sb->fixed_nsec;
}

static void od_inode_extended(const u8 *p, struct od_inode *inode)
{
	inode->size = od_le64(p + OD_I_SIZE_AT);
	inode->uid = od_le32(p + OD_IX_UID_AT);
	inode->gid = od_le32(p + OD_IX_GID_AT);
	inode->nlink = od_le32(p + OD_IX_NLINK_AT);
	inode->mtime = (s64)od_le64(p + OD_IX_MTIME_AT);
	inode->mtime_nsec = od_le32(p + OD_IX_NSEC_AT);
}

static int od_inode_chunks(const struct od_sb *sb, u32 format,
			   struct od_inode *inode, const char **why)
{
	/*
	 * OD_INCOMPAT_CHUNKED_FILE is not asked for: mkfs.erofs leaves it out of
	 * an image that it merges from others. The format takes 16 of the
	 * field's 32 bits, the rest is reserved.
	 */
	format &= 0xffff;
	if (format & ~OD_CHUNK_KNOWN)
		return od_inode_refuse(why, "an unknown chunk format");
	if (format & OD_CHUNK_48BIT)
		return od_inode_refuse(why, "48-bit chunk addresses");
	inode->chunkbits = (u8)(sb->blkbits + (format & OD_CHUNK_BITS_MASK));
	inode->entry_size = format & OD_CHUNK_INDEXES ? OD_CHUNK_INDEX_SIZE
						      : OD_CHUNK_BLOCK_SIZE;
	return 0;
}

static int od_inode_layout(const struct od_sb *sb, const u8 *p,
			   struct od_inode *inode, const char **why)
{
	u32 u = od_le32(p + OD_I_U_AT);

	switch (inode->layout) {
	case OD_LAYOUT_FLAT_PLAIN:
	case OD_LAYOUT_FLAT_INLINE:
		inode->start_off = (u64)u << sb->blkbits;
		return 0;
	case OD_LAYOUT_CHUNK_BASED:
		return od_inode_chunks(sb, u, inode, why);
	case OD_LAYOUT_COMPRESSED_FULL:
	case OD_LAYOUT_COMPRESSED_COMPACT:
		/* Compressed blocks, of which the map knows better. */
		inode->start_off = (u64)u << sb->blkbits;
		return 0;
	default:
		return od_inode_refuse(why, "an unknown data layout");
	}
}

static int od_inode_type(const struct od_sb *sb, const u8 *p,
			 struct od_inode *inode, const char **why)
{
	switch (inode->mode & OD_S_IFMT) {
	case OD_S_IFREG:
	case OD_S_IFDIR:
	case OD_S_IFLNK:
		return od_inode_layout(sb, p, inode, why);
	case OD_S_IFCHR:
	case OD_S_IFBLK:
		inode->rdev = od_le32(p + OD_I_U_AT);
		inode->size = 0;
		return 0;
	case OD_S_IFIFO:
	case OD_S_IFSOCK:
		inode->size = 0;
		return 0;
	default:
		return od_inode_corrupt(why, "impossible file type");
	}
}

int od_inode_parse(const struct od_sb *sb, u64 nid, u64 off, const u8 *p,
		   size_t len, struct od_inode *inode, const char **why)
{
	u16 format, icount;

	if (len < OD_INODE_COMPACT_SIZE)
		return od_inode_corrupt(why, "cut off");
	memset(inode, 0, sizeof(*inode));
	format = od_le16(p + OD_I_FORMAT_AT);
	if (format & ~OD_I_KNOWN)
		return od_inode_refuse(why, "an unknown inode format");
	inode->nid = nid;
	inode->off = off;
	inode->mode = od_le16(p + OD_I_MODE_AT);
	inode->layout = format >> OD_I_LAYOUT_SHIFT & OD_I_LAYOUT_MASK;
	inode->inode_size = format & OD_I_EXTENDED ? OD_INODE_EXTENDED_SIZE
						   : OD_INODE_COMPACT_SIZE;
	if (len < inode->inode_size)
		return od_inode_corrupt(why, "cut off");
	icount = od_le16(p + OD_I_XATTR_ICOUNT_AT);
	if (icount)
		inode->xattr_size = OD_XATTR_HEADER_SIZE +
				    OD_XATTR_ENTRY_SIZE * (icount - 1U);

	if (format & OD_I_EXTENDED)
		od_inode_extended(p, inode);
	else
		od_inode_compact(sb, p, inode);
	if ((inode->mode & OD_S_IFMT) == OD_S_IFDIR)
		inode->dot_omitted = format & OD_I_DOT_OMITTED;
	else if (format & OD_I_NLINK_1)
		inode->nlink = 1;
	/* The kernel takes such an inode for deleted, and evicts it with its last user. */
	if (!inode->nlink)
		return od_inode_corrupt(why, "no links");
	if (inode->size > OD_SIZE_MAX)
		return od_inode_corrupt(why, "impossible size");
	if (inode->mtime_nsec >= 1000000000U)
		return od_inode_corrupt(why, "impossible time stamp");
	return od_inode_type(sb, p, inode, why);
}
