/* SPDX-License-Identifier: GPL-2.0-only */
/* From an offset in a compressed file to the pcluster that holds it. */
#ifndef OD_CORE_ZMAP_H
#define OD_CORE_ZMAP_H

#include "od/types.h"
#include "blobtab.h"
#include "zinode.h"

/**
 * struct od_zmap - what is needed to look up a byte
 * @tab: blobs of the image
 * @algs: algorithms of the image, bit N for number N
 * @lz4_unpadded: LZ4's data begins where the pcluster does, and goes on after the extent
 * @packed_size: bytes in the packed inode; 0: there is none
 * @read: copies bytes of the primary blob; gives 0 or an errno, which ends the look-up
 * @data: for @read
 */
struct od_zmap {
	const struct od_blobtab *tab;
	u16 algs;
	bool lz4_unpadded;
	u64 packed_size;
	int (*read)(void *data, u64 off, void *to, u32 len);
	void *data;
};

enum od_zextent_flags {
	/* Zeroes; there is no pcluster. */
	OD_ZEXTENT_HOLE = 1,
	/* At byte @off of the packed inode; there is no pcluster. */
	OD_ZEXTENT_FRAGMENT = 2,
	/* Not compressed. */
	OD_ZEXTENT_PLAIN = 4,
	/* The pcluster holds more than the extent. */
	OD_ZEXTENT_PARTIAL = 8,
	/* In the inode's metadata. */
	OD_ZEXTENT_INLINE = 16,
	/* Compressed data begins where the pcluster does; else zeroes are in front of it. */
	OD_ZEXTENT_UNPADDED = 32,
};

/**
 * struct od_zextent - where a run of a compressed file's bytes is
 * @start: first byte in the file
 * @len: bytes in the file, at least 1
 * @flags: enum od_zextent_flags
 * @alg: enum od_alg, unless plain
 * @blob: which blob has the pcluster
 * @off: first byte of the pcluster in the blob
 * @clen: bytes in the pcluster, at most %OD_ZENCODED_MAX
 * @rotated: plain: where the pcluster ends with its first bytes, how many
 */
struct od_zextent {
	u64 start;
	u64 len;
	u32 flags;
	u8 alg;
	u32 blob;
	u64 off;
	u32 clen;
	u32 rotated;
};

/**
 * od_zmap - find the extent that holds a byte
 * @map: image
 * @inode: inode of a compressed layout
 * @z: its map header
 * @pos: byte of the file
 * @x: the result; on failure its @blob, @off and @clen are those of the pcluster that is
 *	wrong, or 0
 *
 * Return: 0; -EUCLEAN a corrupt map, or a pcluster outside its blob; -EOPNOTSUPP an extent
 * larger than supported; or what @map->read gave.
 */
int od_zmap(const struct od_zmap *map, const struct od_inode *inode, const struct od_zinode *z,
	    u64 pos, struct od_zextent *x);

/**
 * od_zmap_entries - where the map has what od_zmap() reads for a run of bytes
 * @inode: inode of a compressed layout
 * @z: its map header
 * @pos: first byte of the file
 * @len: bytes, not 0
 * @off: first byte of the primary blob
 *
 * What lies before and after in the map may be needed, too.
 *
 * Return: bytes from @off on; 0: no map is needed.
 */
u64 od_zmap_entries(const struct od_inode *inode, const struct od_zinode *z, u64 pos, u64 len,
		    u64 *off);

#endif /* OD_CORE_ZMAP_H */
