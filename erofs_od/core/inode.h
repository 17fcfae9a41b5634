/* SPDX-License-Identifier: GPL-2.0-only */
/* Inodes, compact and extended. */
#ifndef OD_CORE_INODE_H
#define OD_CORE_INODE_H

#include "od/types.h"
#include "format.h"
#include "sb.h"

struct od_zsums;

/**
 * struct od_zinode - decoded and checked map header of a compressed inode
 * @array: offset of the entries in the blob or metabox that holds the inode
 * @end: where they end, and an inline pcluster starts
 * @entries: number of entries, one per lcluster, or of records of encoded extents
 * @fragment: byte of the packed inode where the file as a whole or its tail is; of a tail
 *	the lower 32 bits
 * @packed2: compact map: entries of 2 bytes
 * @first4: compact map: entries of 4 bytes before these
 * @sums: private to the caller of od_zmap(), for struct od_zmap
 * @inline_size: bytes of the inline pcluster; 0: none
 * @advise: enum od_zadvise
 * @algorithm: of the two types of heads
 * @lclusterbits: log2 of the lcluster size; of no meaning for records of 16 and 32 bytes
 * @record_size: bytes of a record of encoded extents: 4, 8, 16 or 32; 0: the entries are those
 *	of lclusters
 * @whole: the file as a whole is a fragment; nothing but @fragment is valid
 */
struct od_zinode {
	u64 array;
	u64 end;
	u64 entries;
	u64 fragment;
	u64 packed2;
	u32 first4;
	struct od_zsums *sums;
	u16 inline_size;
	u16 advise;
	u8 algorithm[2];
	u8 lclusterbits;
	u8 record_size;
	bool whole;
};

/**
 * struct od_inode - an inode, decoded and checked
 * @nid: node ID; with %OD_NID_METABOX the inode, its xattrs, its map or chunk array, and
 *	what is inline are in the metabox, not in the primary blob
 * @off: its offset in either
 * @inode_size: 32 or 64
 * @xattr_size: bytes of the xattr body that follows; 0: none
 * @mode: type and permissions
 * @layout: enum od_layout
 * @nlink: links, at least 1
 * @uid: owner
 * @gid: group
 * @mtime: seconds
 * @mtime_nsec: nanoseconds
 * @size: bytes of data
 * @rdev: device number in the kernel's on-disk encoding, for device nodes
 * @start_off: byte of the image where the data of a flat layout starts, unless @hole
 * @encoded_size: of a compressed layout: bytes that it takes in blocks
 * @chunkbits: log2 of the chunk size, at most 47, for %OD_LAYOUT_CHUNK_BASED
 * @entry_size: bytes of an entry of the chunk array: 4 or 8
 * @chunk_48bit: of the chunk array: entries of 8 bytes have 48-bit block numbers
 * @hole: %OD_LAYOUT_FLAT_PLAIN without data: all of it is a hole
 * @dot_omitted: a directory without "."; its ".." is stored
 * @z: of a compressed layout, unless empty: set by od_zinode_parse()
 */
struct od_inode {
	u64 nid;
	u64 off;
	u8 inode_size;
	u32 xattr_size;
	u16 mode;
	u8 layout;
	u32 nlink;
	u32 uid;
	u32 gid;
	s64 mtime;
	u32 mtime_nsec;
	u64 size;
	u32 rdev;
	u64 start_off;
	u64 encoded_size;
	u8 chunkbits;
	u8 entry_size;
	bool chunk_48bit;
	bool hole;
	bool dot_omitted;
	struct od_zinode z;
};

static inline bool od_inode_is_compressed(const struct od_inode *inode)
{
	return inode->layout == OD_LAYOUT_COMPRESSED_FULL ||
	       inode->layout == OD_LAYOUT_COMPRESSED_COMPACT;
}

/**
 * od_inode_offset - locate an inode
 * @sb: superblock
 * @nid: node ID; with %OD_NID_METABOX it is in the metabox
 * @size: bytes in the primary blob, or in the metabox
 * @off: the result
 *
 * Return: 0, or -EUCLEAN if not even a compact inode fits there, or if there is no metabox.
 */
int od_inode_offset(const struct od_sb *sb, u64 nid, u64 size, u64 *off);

/**
 * od_inode_parse - decode and check an inode
 * @sb: superblock
 * @nid: inode number
 * @off: from od_inode_offset()
 * @p: bytes at @off
 * @len: bytes in @p, at least those of a compact inode; those of an extended one
 *	are always enough
 * @inode: the result
 * @why: on failure, the reason, for a log line
 *
 * Return: 0; -EOPNOTSUPP for an unsupported layout, named by @why; -EUCLEAN for a corrupt
 * inode.
 */
int od_inode_parse(const struct od_sb *sb, u64 nid, u64 off, const u8 *p,
		   size_t len, struct od_inode *inode, const char **why);

/**
 * od_inode_body_end - first byte past an inode and its xattrs
 * @inode: inode
 */
static inline u64 od_inode_body_end(const struct od_inode *inode)
{
	return inode->off + inode->inode_size + inode->xattr_size;
}

/**
 * od_inode_tail_start - first byte of the inline data of %OD_LAYOUT_FLAT_INLINE
 * @inode: inode, not empty
 * @blkbits: log2 of the block size
 */
static inline u64 od_inode_tail_start(const struct od_inode *inode, u8 blkbits)
{
	return (inode->size - 1) >> blkbits << blkbits;
}

/**
 * od_inode_in_tail - whether a byte of a file is inline
 * @inode: inode, not compressed
 * @blkbits: log2 of the block size
 * @pos: the byte, below the inode's size
 */
static inline bool od_inode_in_tail(const struct od_inode *inode, u8 blkbits, u64 pos)
{
	return inode->layout == OD_LAYOUT_FLAT_INLINE && pos >= od_inode_tail_start(inode, blkbits);
}

/**
 * od_inode_tail - locate inline data
 * @inode: inode
 * @blkbits: log2 of the block size
 * @pos: byte for which od_inode_in_tail() is true
 * @off: gets its offset in the blob, or in the metabox, that holds the inode; not checked
 *	against the size of that
 * @len: gets the number of inline bytes from it on
 *
 * Return: 0, or -EUCLEAN if the data is not in one block.
 */
static inline int od_inode_tail(const struct od_inode *inode, u8 blkbits, u64 pos, u64 *off,
				u64 *len)
{
	u64 start = od_inode_tail_start(inode, blkbits), blk = (u64)1 << blkbits;
	u64 tail = od_inode_body_end(inode);

	*off = tail + (pos - start);
	*len = inode->size - pos;
	return (tail & (blk - 1)) + (inode->size - start) > blk ? -EUCLEAN : 0;
}

#endif /* OD_CORE_INODE_H */
