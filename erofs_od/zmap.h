/* SPDX-License-Identifier: GPL-2.0-only */
/* Where a compressed file's bytes are: for zmap.c and what reads them. */
#ifndef EROFS_OD_ZMAP_H
#define EROFS_OD_ZMAP_H

#include "internal.h"
#include "core/zmap.h"

/**
 * struct erofs_od_zplace - where a run of a compressed file's bytes is
 * @blob: which blob has the pcluster; NULL: a hole
 * @x: the extent; its @start means nothing here
 * @start: what the first byte of the extent would be in the file: of a fragment it may be
 *	one before the file
 * @from: first byte of the run in the file
 * @to: first byte of the file after it
 */
struct erofs_od_zplace {
	struct erofs_od_blob *blob;
	struct od_zextent x;
	s64 start;
	u64 from;
	u64 to;
};

#endif /* EROFS_OD_ZMAP_H */
