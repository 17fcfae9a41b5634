/* SPDX-License-Identifier: GPL-2.0-only */
/* Locations of the data of a compressed inode: for zmap.c, and for zdata.c, which reads it. */
#ifndef EROFS_OD_ZMAP_H
#define EROFS_OD_ZMAP_H

#include "internal.h"
#include "core/zmap.h"

/**
 * struct erofs_od_zplace - location of a run of bytes
 * @blob: blob of the pcluster; NULL: a hole
 * @x: the extent; @x.start has no meaning here
 * @start: the extent's first byte, as a position in the file; before byte 0 if the file is
 *	a fragment that starts within an extent of the packed inode
 * @to: first byte past the run
 */
struct erofs_od_zplace {
	struct erofs_od_blob *blob;
	struct od_zextent x;
	s64 start;
	u64 to;
};

bool erofs_od_zsums_known(struct od_zsums *sums, u64 *nr, u64 *start);
void erofs_od_zsums_learn(struct od_zsums *sums, u64 nr, u64 start);

int erofs_od_zmap(struct erofs_od_sb_info *sbi, const struct od_inode *od, u64 pos,
		  bool may_wait, struct erofs_od_zplace *zplace);

#endif /* EROFS_OD_ZMAP_H */
