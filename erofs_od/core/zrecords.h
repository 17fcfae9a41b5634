/* SPDX-License-Identifier: GPL-2.0-only */
/* Maps made of encoded extents. */
#ifndef OD_CORE_ZRECORDS_H
#define OD_CORE_ZRECORDS_H

#include "zmap.h"

/**
 * od_zmap_records - od_zmap() for an inode with encoded extents
 * @map: image
 * @inode: inode
 * @z: its map header
 * @pos: byte of the file, below its size
 * @x: the result, zeroed
 */
int od_zmap_records(const struct od_zmap *map, const struct od_inode *inode,
		    const struct od_zinode *z, u64 pos, struct od_zextent *x);

#endif /* OD_CORE_ZRECORDS_H */
