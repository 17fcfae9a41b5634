/* SPDX-License-Identifier: GPL-2.0-only */
/* From an offset in a file to a place in a blob. */
#ifndef OD_CORE_CHUNKMAP_H
#define OD_CORE_CHUNKMAP_H

#include "od/types.h"
#include "blobtab.h"
#include "inode.h"

/**
 * enum od_extent_flag - what an extent is like
 * @OD_EXTENT_MAPPED: it is in a blob; otherwise a hole, which reads as zeroes
 * @OD_EXTENT_INLINE: it follows the inode, so is most likely in memory with it
 * @OD_EXTENT_ENCODED: the blob has it compressed; no layout that is supported does
 */
enum od_extent_flag {
	OD_EXTENT_MAPPED = 0x1,
	OD_EXTENT_INLINE = 0x2,
	OD_EXTENT_ENCODED = 0x4,
};

/**
 * struct od_extent - where a run of a file's bytes is
 * @flags: enum od_extent_flag
 * @blob: which blob
 * @off: first byte in the blob
 * @encoded_len: bytes in the blob; @len unless %OD_EXTENT_ENCODED
 * @len: bytes of the file, at least 1; it may go beyond the end of the file up to the
 *	end of the file's last block, so that reads need not end at odd offsets
 */
struct od_extent {
	u32 flags;
	u32 blob;
	u64 off;
	u64 encoded_len;
	u64 len;
};

/**
 * od_chunkmap_entry - which entry of the chunk array tells where a byte is?
 * @inode: inode
 * @pos: byte of the file, below its size
 * @off: byte of the primary blob where the entry is
 *
 * Return: 1 when that entry is needed, 0 when the inode knows by itself,
 * -EUCLEAN when the entry would be beyond all offsets.
 */
int od_chunkmap_entry(const struct od_inode *inode, u64 pos, u64 *off);

/**
 * od_chunkmap - find the place of a run of bytes
 * @tab: blobs of the image
 * @inode: inode
 * @pos: byte of the file, below its size
 * @entry: the entry that od_chunkmap_entry() named, @inode->entry_size bytes;
 *	NULL when it named none
 * @extent: the result; on failure its @blob, @off and @len are those of the
 *	place that is wrong
 *
 * Return: 0, or -EUCLEAN for a place outside its blob, a device id beyond the
 * table, or inline data across a block.
 */
int od_chunkmap(const struct od_blobtab *tab, const struct od_inode *inode,
		u64 pos, const u8 *entry, struct od_extent *extent);

#endif /* OD_CORE_CHUNKMAP_H */
