/* SPDX-License-Identifier: GPL-2.0-only */
/* Mapping offsets in a compressed file to extents and their pclusters. */
#ifndef OD_CORE_ZMAP_H
#define OD_CORE_ZMAP_H

#include "od/types.h"
#include "blobtab.h"
#include "zinode.h"

/**
 * struct od_zmap - the image, for a lookup
 * @tab: its blobs
 * @algorithms: algorithms it may use, bit N for enum od_algorithm N
 * @lz4_unpadded: LZ4's data is at the start of its pcluster, and may go on past the extent
 * @packed_size: bytes in the packed inode; 0: there is none
 * @read: copies bytes of the blob or metabox that holds the inode; returns 0, or an errno that
 * ends the lookup
 * @known: encoded extents in records of 4 bytes: looks in the inode's sums for the last record,
 *	up to record *nr, of which the start of the pcluster is known; sets *nr and *start.
 *	Returns false if there is none. NULL: no sums are kept
 * @learn: with @known: @start is where the pcluster of record @nr starts; the caller may keep
 *	it. @nr is a multiple of %OD_ZSUM_STEP
 * @data: for @read
 */
struct od_zmap {
	const struct od_blobtab *tab;
	u16 algorithms;
	bool lz4_unpadded;
	u64 packed_size;
	int (*read)(void *data, u64 off, void *to, u32 len);
	bool (*known)(struct od_zsums *sums, u64 *nr, u64 *start);
	void (*learn)(struct od_zsums *sums, u64 nr, u64 start);
	void *data;
};

/** OD_ZSUM_STEP - records of 4 bytes that are read together */
#define OD_ZSUM_STEP	64U

/**
 * enum od_zextent_flag - properties of an extent
 * @OD_ZEXTENT_HOLE: zeroes; there is no pcluster
 * @OD_ZEXTENT_FRAGMENT: in the packed inode, at byte @off of its data; there is no pcluster
 * @OD_ZEXTENT_PLAIN: not compressed
 * @OD_ZEXTENT_PARTIAL: the pcluster decompresses to more than the extent
 * @OD_ZEXTENT_INLINE: the pcluster is in the inode's metadata
 * @OD_ZEXTENT_UNPADDED: data is at the start of the pcluster; otherwise at its end
 */
enum od_zextent_flag {
	OD_ZEXTENT_HOLE = 0x1,
	OD_ZEXTENT_FRAGMENT = 0x2,
	OD_ZEXTENT_PLAIN = 0x4,
	OD_ZEXTENT_PARTIAL = 0x8,
	OD_ZEXTENT_INLINE = 0x10,
	OD_ZEXTENT_UNPADDED = 0x20,
};

/**
 * struct od_zextent - location of a run of a compressed file's bytes
 * @start: first byte in the file
 * @len: bytes in the file, at least 1; all below its size
 * @flags: enum od_zextent_flag
 * @algorithm: enum od_algorithm, unless plain
 * @blob: blob of the pcluster, unless it is inline
 * @off: first byte of the pcluster in the blob
 * @encoded_len: bytes in the pcluster, at most %OD_ZENCODED_MAX
 * @rotated: plain: how many bytes of the extent, the first ones, are at the end of the
 *	pcluster instead
 */
struct od_zextent {
	u64 start;
	u64 len;
	u32 flags;
	u8 algorithm;
	u32 blob;
	u64 off;
	u32 encoded_len;
	u32 rotated;
};

/**
 * od_zmap - find the extent that holds a byte
 * @map: image
 * @inode: inode of a compressed layout
 * @z: its map header
 * @pos: byte of the file
 * @x: the result; on failure its @blob, @off and @encoded_len are those of the invalid
 *	pcluster, or 0
 *
 * Return: 0; -EUCLEAN for a corrupt map, or a pcluster outside its blob; -EOPNOTSUPP for an
 * extent or pcluster over the limits; or an errno of @map->read.
 */
int od_zmap(const struct od_zmap *map, const struct od_inode *inode, const struct od_zinode *z,
	    u64 pos, struct od_zextent *x);

/**
 * od_zmap_entries - locate the part of the map that od_zmap() reads for a run of bytes
 * @inode: inode of a compressed layout
 * @z: its map header
 * @pos: first byte of the file, below its size
 * @len: bytes, not 0
 * @off: first byte, in the blob or metabox that holds the inode
 *
 * od_zmap() may read entries before and after these, too.
 *
 * Return: bytes from @off on; 0 if no map is needed, or if it is one of encoded extents: what a
 * lookup of these reads is known only from the lookup itself.
 */
u64 od_zmap_entries(const struct od_inode *inode, const struct od_zinode *z, u64 pos, u64 len,
		    u64 *off);

#endif /* OD_CORE_ZMAP_H */
