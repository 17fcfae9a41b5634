/* SPDX-License-Identifier: GPL-2.0-only */
/* Pclusters and fragments of extents, for both kinds of maps: zmap.c and zrecords.c. */
#ifndef OD_CORE_ZPLACE_H
#define OD_CORE_ZPLACE_H

#include "zmap.h"

/**
 * od_zmap_fragment - set an extent that is a fragment, and check where it is
 * @map: image
 * @size: bytes of the file
 * @start: first byte in the fragment, which extends to the end of the file
 * @off: byte of the packed inode
 * @x: the result
 *
 * Return: 0, or -EUCLEAN if it is not inside the packed inode.
 */
int od_zmap_fragment(const struct od_zmap *map, u64 size, u64 start, u64 off,
		     struct od_zextent *x);

/**
 * od_zmap_place - set where the pcluster of an extent is
 * @map: image
 * @z: map header of the inode
 * @off: first byte, in the flattened image
 * @len: bytes, not 0
 * @x: the extent, with its start and flags
 *
 * Return: 0; -EUCLEAN if it is in two blobs; -EOPNOTSUPP if it is over the limit.
 */
int od_zmap_place(const struct od_zmap *map, const struct od_zinode *z, u64 off, u64 len,
		  struct od_zextent *x);

/**
 * od_zmap_check - check an extent that has a pcluster
 * @map: image
 * @inode: inode
 * @x: the extent
 *
 * Return: 0; -EUCLEAN for a pcluster outside its blob, or one that cannot belong to the extent;
 * -EOPNOTSUPP for an extent over the limit.
 */
int od_zmap_check(const struct od_zmap *map, const struct od_inode *inode,
		  const struct od_zextent *x);

#endif /* OD_CORE_ZPLACE_H */
