/* SPDX-License-Identifier: GPL-2.0-only */
/* From a pcluster to the folios of a batch. */
#ifndef EROFS_OD_ZOUT_H
#define EROFS_OD_ZOUT_H

#include "io.h"
#include "core/zmap.h"

/**
 * struct erofs_od_zout - the part of a batch that comes from a pcluster
 * @x: its extent; @x.start has no meaning here
 * @start: the extent's first byte, as a position in the file; may be before byte 0
 * @from: first byte of the file that is wanted
 * @to: first byte past these
 */
struct erofs_od_zout {
	struct od_zextent x;
	s64 start;
	u64 from;
	u64 to;
};

int erofs_od_zout(struct erofs_od_batch *batch, const struct erofs_od_zout *out, const u8 *in);

#endif /* EROFS_OD_ZOUT_H */
