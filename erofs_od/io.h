/* SPDX-License-Identifier: GPL-2.0-only */
/* Batches of folios: for io.c, and for what fills them otherwise. */
#ifndef EROFS_OD_IO_H
#define EROFS_OD_IO_H

#include <linux/refcount.h>

#include "internal.h"

/**
 * struct erofs_od_slot - one folio of a batch
 * @folio: locked until @left is 0
 * @pos: its first byte in the file; where it ends, the next slot begins
 * @left: bytes not accounted for
 * @failed: a byte of it did not come
 */
struct erofs_od_slot {
	struct folio *folio;
	u64 pos;
	atomic_t left;
	bool failed;
};

/**
 * struct erofs_od_io - a batch
 * @refs: reads of the cache under way, and its maker
 * @source: where the bytes come from
 * @gfp: how to allocate what it takes to read
 * @may_wait: the maker may wait for metadata
 * @asked: @wide is valid
 * @wide: the daemon accepts READs of several extents; looked up once per batch
 * @nr: slots in use
 * @max: slots allocated
 * @end: first byte behind the last folio
 * @slot: the folios
 */
struct erofs_od_io {
	refcount_t refs;
	struct erofs_od_source source;
	gfp_t gfp;
	bool may_wait;
	bool asked;
	bool wide;
	unsigned int nr;
	unsigned int max;
	u64 end;
	struct erofs_od_slot slot[];
};

void erofs_od_io_put(struct erofs_od_io *io);
struct page *erofs_od_io_page(const struct erofs_od_io *io, u64 pos);
void erofs_od_io_account(struct erofs_od_io *io, u64 pos, u64 len, int error);
void erofs_od_io_zero(struct erofs_od_io *io, u64 pos, u64 len);

#endif /* EROFS_OD_IO_H */
