/* SPDX-License-Identifier: GPL-2.0-only */
/* Mapping offsets in a file to extents in a blob. */
#ifndef OD_CORE_CHUNKMAP_H
#define OD_CORE_CHUNKMAP_H

#include "od/types.h"
#include "blobtab.h"
#include "inode.h"

/**
 * enum od_extent_flag - properties of an extent
 * @OD_EXTENT_MAPPED: it is in a blob; otherwise a hole, which reads as zeroes
 * @OD_EXTENT_INLINE: it follows the inode, so it is probably in memory
 * @OD_EXTENT_ENCODED: compressed in the blob; set for layouts that zmap.h maps
 */
enum od_extent_flag {
	OD_EXTENT_MAPPED = 0x1,
	OD_EXTENT_INLINE = 0x2,
	OD_EXTENT_ENCODED = 0x4,
};

/**
 * struct od_extent - location of a run of a file's bytes
 * @flags: enum od_extent_flag
 * @blob: index of the blob
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
 * od_chunkmap_entry - find the entry of the chunk array for a byte
 * @inode: inode
 * @pos: byte of the file, below its size
 * @off: byte of the primary blob where the entry is
 *
 * Return: 1 if the entry is needed, 0 if the layout has none, -EUCLEAN if its offset would
 * overflow.
 */
int od_chunkmap_entry(const struct od_inode *inode, u64 pos, u64 *off);

/**
 * od_chunkmap - map a byte of a file
 * @tab: blobs of the image
 * @inode: inode of a layout that is not compressed
 * @pos: byte of the file, below its size
 * @entry: the entry found by od_chunkmap_entry(), @inode->entry_size bytes; NULL if it
 *	found none
 * @extent: the result; on failure its @blob, @off and @len are those of the invalid
 *	extent
 *
 * Return: 0, or -EUCLEAN for an extent outside its blob, a device ID past the table, or inline
 * data across a block boundary.
 */
int od_chunkmap(const struct od_blobtab *tab, const struct od_inode *inode,
		u64 pos, const u8 *entry, struct od_extent *extent);

/**
 * od_chunkmap_run - map a byte of a file and what follows it in the same blob or hole
 * @tab: as for od_chunkmap()
 * @inode: as for od_chunkmap()
 * @pos: as for od_chunkmap()
 * @entry: the entry found by od_chunkmap_entry(), and those after it
 * @nr: number of entries, all of chunks of the file
 * @extent: as for od_chunkmap()
 *
 * Return: as od_chunkmap().
 */
int od_chunkmap_run(const struct od_blobtab *tab, const struct od_inode *inode, u64 pos,
		    const u8 *entry, unsigned int nr, struct od_extent *extent);

/**
 * od_chunkmap_unit - how much of an extent is in its first chunk
 * @inode: inode
 * @pos: its first byte in the file
 * @len: its length
 */
u64 od_chunkmap_unit(const struct od_inode *inode, u64 pos, u64 len);

#endif /* OD_CORE_CHUNKMAP_H */
