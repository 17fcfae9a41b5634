/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Batches of folios: for batch.c and io.c, and for zdata.c and zout.c, which fill them from
 * pclusters.
 */
#ifndef EROFS_OD_IO_H
#define EROFS_OD_IO_H

#include <linux/bvec.h>
#include <linux/refcount.h>

#include "internal.h"

/**
 * struct erofs_od_slot - one folio of a batch
 * @folio: locked until @left is 0
 * @pos: its first byte in the file; it ends where the next slot begins
 * @left: bytes not accounted for
 * @failed: a byte of it could not be read
 */
struct erofs_od_slot {
	struct folio *folio;
	u64 pos;
	atomic_t left;
	bool failed;
};

/**
 * struct erofs_od_batch - a batch
 * @refs: reads of the cache in flight, and the submitter
 * @source: where the bytes come from
 * @gfp: for allocations
 * @may_wait: the submitter may wait for metadata
 * @asked: @wide is valid
 * @wide: the daemon accepts READs of several extents; looked up once per batch
 * @nr: slots in use
 * @max: slots allocated
 * @end: first byte past the last folio
 * @first: memory for its first read of the cache, until that uses it
 * @slot: the folios
 */
struct erofs_od_batch {
	refcount_t refs;
	struct erofs_od_source source;
	gfp_t gfp;
	bool may_wait;
	bool asked;
	bool wide;
	unsigned int nr;
	unsigned int max;
	u64 end;
	struct erofs_od_segment *first;
	struct erofs_od_slot slot[];
};

/**
 * struct erofs_od_segment - a run of bytes being read from a blob
 * @read: the read
 * @batch: batch that the bytes are for
 * @blob: blob that is read
 * @pos: first byte in the file
 * @left: bytes not yet reported
 * @in_batch: freed with @batch
 * @room: space for the backend
 * @bvec: the parts of folios that are read into
 */
struct erofs_od_segment {
	struct cachefiles_od_read read;
	struct erofs_od_batch *batch;
	struct erofs_od_blob *blob;
	u64 pos;
	atomic_long_t left;
	bool in_batch;
	u64 room[CACHEFILES_OD_READ_ROOM / sizeof(u64)];
	struct bio_vec bvec[];
};

/* Folios in a batch whose first read needs no separate allocation. */
#define EROFS_OD_BATCH_FIRST	64U

/* batch.c */
struct erofs_od_batch *erofs_od_batch_new(const struct erofs_od_source *source, unsigned int max,
					  gfp_t gfp);
void erofs_od_batch_put(struct erofs_od_batch *batch);

/* io.c */
struct page *erofs_od_batch_page(const struct erofs_od_batch *batch, u64 pos);
void erofs_od_batch_account(struct erofs_od_batch *batch, u64 pos, u64 len, int error);
void erofs_od_batch_zero(struct erofs_od_batch *batch, u64 pos, u64 len);

/* A batch of shared pages keeps its mount until the last byte is accounted for. */
static inline void erofs_od_batch_begin(const struct erofs_od_batch *batch)
{
	if (batch->source.share)
		atomic_inc(&batch->source.sbi->reads);
}

static inline void erofs_od_batch_end(const struct erofs_od_batch *batch)
{
	if (!batch->source.share)
		return;
	/* Pairs with the acquire in share.c: all accesses to the mount are done. */
	smp_mb__before_atomic();
	atomic_dec(&batch->source.sbi->reads);
}

/* Adjacent extents may be read together if the daemon accepts that, or is not needed. */
static inline bool erofs_od_batch_may_join(struct erofs_od_batch *batch,
					   const struct erofs_od_blob *blob, u64 off, u64 len)
{
	if (!batch->asked) {
		batch->wide = blob->backend->is_wide(blob);
		batch->asked = true;
	}
	return batch->wide || blob->backend->is_present(blob, off, len);
}

/* The extent of a byte of a batch, which has the first one from its source. */
static inline int erofs_od_batch_map(struct erofs_od_batch *batch, u64 pos,
				     struct erofs_od_extent *extent)
{
	struct erofs_od_source *source = &batch->source;

	if (!source->first)
		return source->map(source->inode, pos, batch->may_wait, extent);
	*extent = *source->first;
	source->first = NULL;
	return 0;
}

/* A read for a batch, without its pages, length and callback. */
static inline struct cachefiles_od_read
erofs_od_batch_read(const struct erofs_od_batch *batch, const struct erofs_od_blob *blob, u64 off)
{
	const struct super_block *sb = batch->source.group;

	return (struct cachefiles_od_read) {
		.cookie = blob->cookie,
		.owner = batch->source.owner,
		.group = batch->source.share ?: (const void *)sb,
		.use = sb ? &EROFS_OD_SB(sb)->use : NULL,
		.start = off,
		.timeout_ms = batch->source.timeout_ms,
		/* What readahead could not read, readers read by themselves. */
		.ahead = !batch->may_wait,
	};
}

#endif /* EROFS_OD_IO_H */
