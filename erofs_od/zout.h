/* SPDX-License-Identifier: GPL-2.0-only */
/* From the bytes of a pcluster to those of folios. */
#ifndef EROFS_OD_ZOUT_H
#define EROFS_OD_ZOUT_H

#include "io.h"
#include "core/zmap.h"

/**
 * struct erofs_od_zout - what to do with a pcluster
 * @x: the extent that it holds; its @start means nothing here
 * @start: what the first byte of the extent is in the file; may be before it
 * @from: first byte of the file that is wanted
 * @to: first byte after what is wanted
 */
struct erofs_od_zout {
	struct od_zextent x;
	s64 start;
	u64 from;
	u64 to;
};

int erofs_od_zout(struct erofs_od_io *io, const struct erofs_od_zout *out, const u8 *in);

#endif /* EROFS_OD_ZOUT_H */
