// SPDX-License-Identifier: GPL-2.0-only
/*
 * Reading locked folios through a backend, and unlocking them.
 *
 * A batch is a run of adjacent folios. Each of its bytes is accounted for exactly once: as
 * zeroed, copied, failed, or reported by a backend. The folio ends with its last byte, and is
 * not touched afterwards; that may happen in the reading task, in a work item, or in hard
 * interrupt context.
 */
#include "io.h"

#include <linux/bvec.h>
#include <linux/highmem.h>
#include <linux/slab.h>

/* Folios in a batch: as many as fit in a bio and in an allocation that does not fail. */
#define BATCH_MAX	256U

#define READAHEAD_GFP	(GFP_NOFS | __GFP_NORETRY | __GFP_NOWARN)

/**
 * struct run - bytes that are contiguous in a file and in a blob
 * @blob: the blob; NULL if the run is empty
 * @off: first byte in the blob
 * @pos: first byte in the file
 * @len: bytes
 */
struct run {
	struct erofs_od_blob *blob;
	u64 off;
	u64 pos;
	u64 len;
};

static void batch_add(struct erofs_od_batch *batch, struct folio *folio, u64 pos)
{
	struct erofs_od_slot *slot = &batch->slot[batch->nr++];

	slot->folio = folio;
	slot->pos = pos;
	atomic_set(&slot->left, (int)folio_size(folio));
	slot->failed = false;
	if (batch->source.wait)
		folio_set_checked(folio);
	batch->end = pos + folio_size(folio);
}

static u64 slot_end(const struct erofs_od_batch *batch, unsigned int nr)
{
	return nr + 1 < batch->nr ? batch->slot[nr + 1].pos : batch->end;
}

/* The slot that holds a byte of the file. */
static unsigned int batch_find(const struct erofs_od_batch *batch, u64 pos)
{
	unsigned int low = 0, high = batch->nr;

	while (high - low > 1) {
		unsigned int mid = low + (high - low) / 2;

		if (batch->slot[mid].pos <= pos)
			low = mid;
		else
			high = mid;
	}
	return low;
}

static void slot_finish(struct erofs_od_batch *batch, unsigned int nr)
{
	struct erofs_od_slot *slot = &batch->slot[nr];
	struct folio *folio = slot->folio;
	bool failed = READ_ONCE(slot->failed);
	u64 size = batch->source.size;

	/* Bytes of the last block past the end of the file are not part of the file. */
	if (!failed && slot_end(batch, nr) > size)
		folio_zero_segment(folio, size > slot->pos ? size - slot->pos : 0,
				   folio_size(folio));
	if (!failed)
		flush_dcache_folio(folio);
	if (batch->source.wait)
		folio_clear_checked(folio);
	folio_end_read(folio, !failed);
}

/**
 * erofs_od_batch_account - account for a range of a batch
 * @batch: batch
 * @pos: first byte in the file
 * @len: bytes, not 0
 * @error: errno if they could not be read, or 0
 *
 * Context: any, hard interrupts included. A folio may be freed after its last byte.
 */
void erofs_od_batch_account(struct erofs_od_batch *batch, u64 pos, u64 len, int error)
{
	unsigned int nr = batch_find(batch, pos);

	if (error)
		erofs_od_trace_read_failed(&batch->source, pos, len, error);
	/* -EAGAIN: no task waits for these bytes; a reader that needs them reads them again. */
	if (error && error != -EAGAIN && batch->source.error)
		WRITE_ONCE(*batch->source.error, error);
	/*
	 * A direct reader continues once its last page is unlocked, and its mount may be freed
	 * after that; RCU keeps the wait queue.
	 */
	rcu_read_lock();
	for (; len; nr++) {
		struct erofs_od_slot *slot = &batch->slot[nr];
		u64 part = min(len, slot_end(batch, nr) - pos);

		if (error)
			WRITE_ONCE(slot->failed, true);
		/* Full barrier: the task that takes the last byte sees @failed. */
		if (atomic_sub_and_test((int)part, &slot->left))
			slot_finish(batch, nr);
		pos += part;
		len -= part;
	}
	if (batch->source.wait && wq_has_sleeper(batch->source.wait))
		wake_up_all(batch->source.wait);
	rcu_read_unlock();
}

/**
 * erofs_od_batch_page - the page that holds a byte of a batch
 * @batch: batch
 * @pos: byte in the file
 */
struct page *erofs_od_batch_page(const struct erofs_od_batch *batch, u64 pos)
{
	const struct erofs_od_slot *slot = &batch->slot[batch_find(batch, pos)];

	return folio_page(slot->folio, (pos - slot->pos) >> PAGE_SHIFT);
}

/* The part of a slot's folio from @pos on, as a bvec. */
static u64 batch_bvec(const struct erofs_od_batch *batch, unsigned int nr, u64 pos, u64 len,
		      struct bio_vec *bvec)
{
	const struct erofs_od_slot *slot = &batch->slot[nr];
	u64 part = min(len, slot_end(batch, nr) - pos);
	size_t at = pos - slot->pos;

	bvec->bv_page = folio_page(slot->folio, at >> PAGE_SHIFT);
	bvec->bv_offset = offset_in_page(at);
	bvec->bv_len = (unsigned int)part;
	return part;
}

static struct erofs_od_segment *segment_alloc(struct erofs_od_batch *batch, unsigned int nr)
{
	struct erofs_od_segment *segment = batch->first;

	if (segment && nr <= min(batch->max, EROFS_OD_BATCH_FIRST)) {
		batch->first = NULL;
		segment->in_batch = true;
		return segment;
	}
	segment = kmalloc(struct_size(segment, bvec, nr), batch->gfp);
	if (segment)
		segment->in_batch = false;
	return segment;
}

static void segment_free(struct erofs_od_segment *segment)
{
	if (!segment->in_batch)
		kfree(segment);
}

static void segment_done(struct cachefiles_od_read *read, size_t from, size_t len, int error)
{
	struct erofs_od_segment *segment = container_of(read, struct erofs_od_segment, read);
	struct erofs_od_batch *batch = segment->batch;
	struct erofs_od_blob *blob = segment->blob;

	erofs_od_batch_account(batch, segment->pos + from, len, error);
	if (!atomic_long_sub_and_test((long)len, &segment->left))
		return;
	segment_free(segment);
	erofs_od_batch_put(batch);
	/* Last: once the blob has no operations left, it and then the mount may be freed. */
	blob->backend->end(blob);
}

static struct erofs_od_segment *segment_new(struct erofs_od_batch *batch, const struct run *run)
{
	unsigned int first = batch_find(batch, run->pos);
	unsigned int last = batch_find(batch, run->pos + run->len - 1);
	unsigned int nr = last - first + 1, i;
	struct erofs_od_segment *segment;
	u64 pos = run->pos, left = run->len;

	segment = segment_alloc(batch, nr);
	if (!segment)
		return NULL;
	for (i = 0; i < nr; i++) {
		u64 part = batch_bvec(batch, first + i, pos, left, &segment->bvec[i]);

		pos += part;
		left -= part;
	}
	segment->batch = batch;
	segment->blob = run->blob;
	segment->pos = run->pos;
	atomic_long_set(&segment->left, (long)run->len);
	segment->read = erofs_od_batch_read(batch, run->blob, run->off);
	segment->read.room = segment->room;
	segment->read.bvec = segment->bvec;
	segment->read.nr_bvec = nr;
	segment->read.len = (size_t)run->len;
	segment->read.done = segment_done;
	return segment;
}

/* Reads the run and empties it. */
static void batch_flush(struct erofs_od_batch *batch, struct run *run)
{
	struct erofs_od_segment *segment;

	if (!run->blob)
		return;
	segment = segment_new(batch, run);
	if (!segment) {
		erofs_od_batch_account(batch, run->pos, run->len, -ENOMEM);
	} else if (!run->blob->backend->begin(run->blob)) {
		segment_free(segment);
		erofs_od_batch_account(batch, run->pos, run->len, -EIO);
	} else {
		refcount_inc(&batch->refs);
		run->blob->backend->read(run->blob, &segment->read);
	}
	run->blob = NULL;
}

/**
 * erofs_od_batch_zero - zero a range of a batch and account for it
 * @batch: batch
 * @pos: first byte in the file
 * @len: bytes, not 0
 */
void erofs_od_batch_zero(struct erofs_od_batch *batch, u64 pos, u64 len)
{
	unsigned int nr = batch_find(batch, pos);
	u64 at = pos, left = len;

	for (; left; nr++) {
		struct erofs_od_slot *slot = &batch->slot[nr];
		u64 part = min(left, slot_end(batch, nr) - at);

		folio_zero_segment(slot->folio, at - slot->pos, at - slot->pos + part);
		at += part;
		left -= part;
	}
	erofs_od_batch_account(batch, pos, len, 0);
}

static bool batch_peek(struct erofs_od_batch *batch, u64 pos, const struct erofs_od_extent *extent)
{
	bool copied = true;
	u64 at, part;

	for (at = 0; copied && at < extent->len; at += part) {
		struct bio_vec bvec;
		void *p;

		part = batch_bvec(batch, batch_find(batch, pos + at), pos + at, extent->len - at,
				  &bvec);
		part = min_t(u64, part, PAGE_SIZE - bvec.bv_offset);
		p = kmap_local_page(bvec.bv_page);
		copied = batch->source.peek(extent->blob, extent->off + at,
					    p + bvec.bv_offset, part);
		kunmap_local(p);
	}
	return copied;
}

/*
 * Inline data was read along with its inode, so it seldom needs another read. In the metabox it
 * is not read separately, but waited for as the inode was. Returns false if it has to be read.
 */
static bool batch_inline(struct erofs_od_batch *batch, u64 pos,
			 const struct erofs_od_extent *extent)
{
	int err = 0;

	if (!batch->source.peek || !(extent->flags & OD_EXTENT_INLINE))
		return false;
	while (!err && !batch_peek(batch, pos, extent)) {
		if (extent->blob->backend->read)
			return false;
		err = -EAGAIN;
		if (batch->may_wait)
			err = batch->source.fetch(extent->blob, extent->off, extent->len);
	}
	erofs_od_batch_account(batch, pos, extent->len, err);
	return true;
}

/* Extents that are contiguous in the blob may have a hole between them in the file. */
static bool run_extend(struct erofs_od_batch *batch, struct run *run, u64 pos,
		       const struct erofs_od_extent *extent)
{
	if (run->blob != extent->blob || run->off + run->len != extent->off ||
	    run->pos + run->len != pos ||
	    !erofs_od_batch_may_join(batch, run->blob, run->off, run->len + extent->encoded_len))
		return false;
	run->len += extent->encoded_len;
	return true;
}

static void batch_extent(struct erofs_od_batch *batch, u64 pos,
			 const struct erofs_od_extent *extent, struct run *run)
{
	if (!extent->blob)
		erofs_od_batch_zero(batch, pos, extent->len);
	else if (!batch_inline(batch, pos, extent) && !run_extend(batch, run, pos, extent)) {
		batch_flush(batch, run);
		run->blob = extent->blob;
		run->off = extent->off;
		run->pos = pos;
		run->len = extent->encoded_len;
	}
}

/* Limits an extent to @max bytes, or sets its length to @max if it is unknown. */
static void extent_cut(struct erofs_od_extent *extent, u64 max)
{
	if (extent->len && extent->len <= max)
		return;
	extent->len = max;
	if (!(extent->flags & OD_EXTENT_ENCODED))
		extent->encoded_len = max;
}

/* As run_extend(): chunks that must be read one by one, by a READ each if they are missing. */
static bool must_cut(struct erofs_od_batch *batch, const struct erofs_od_extent *extent)
{
	return extent->blob && extent->unit && extent->len > extent->unit &&
	       !erofs_od_batch_may_join(batch, extent->blob, extent->off, extent->encoded_len);
}

/* Accounts for every byte of a batch, or starts the read that will. */
static int batch_submit_plain(struct erofs_od_batch *batch)
{
	u64 pos = batch->slot[0].pos, end = batch->source.end ?: batch->end;
	struct run run = { };
	int first_err = 0;

	while (pos < end && pos < batch->source.size) {
		struct erofs_od_extent extent = { .len = end - pos };
		int err = erofs_od_batch_map(batch, pos, &extent);

		extent_cut(&extent, end - pos);
		if (!err && must_cut(batch, &extent))
			extent_cut(&extent, extent.unit);
		if (err) {
			first_err = first_err ?: err;
			erofs_od_batch_account(batch, pos, extent.len, err);
		} else {
			batch_extent(batch, pos, &extent, &run);
		}
		pos += extent.len;
	}
	batch_flush(batch, &run);
	if (pos < batch->end)
		erofs_od_batch_account(batch, pos, batch->end - pos, 0);
	erofs_od_batch_put(batch);
	return first_err;
}

static int batch_submit(struct erofs_od_batch *batch)
{
	return batch->source.submit ? batch->source.submit(batch) : batch_submit_plain(batch);
}

static int read_folios(const struct erofs_od_source *source, struct folio **folios,
		       unsigned int nr, u64 pos, gfp_t gfp, bool may_wait)
{
	struct erofs_od_batch *batch = erofs_od_batch_new(source, nr, gfp);
	unsigned int i;

	if (!batch) {
		for (i = 0; i < nr; i++)
			folio_unlock(folios[i]);
		return -ENOMEM;
	}
	batch->may_wait = may_wait;
	for (i = 0; i < nr; i++)
		batch_add(batch, folios[i], pos + i * folio_size(folios[i]));
	return batch_submit(batch);
}

/**
 * erofs_od_io_read_folios - read folios
 * @source: where the bytes come from
 * @folios: locked folios of the same size, in a page cache or private; each is unlocked
 *	when all of it has been read, possibly later
 * @nr: number of @folios
 * @pos: first byte in the file
 *
 * Waits for metadata, killably, but not for data.
 *
 * Return: 0, or the errno of the first part that could not be started.
 */
int erofs_od_io_read_folios(const struct erofs_od_source *source, struct folio **folios,
			    unsigned int nr, u64 pos)
{
	return read_folios(source, folios, nr, pos, GFP_NOFS, true);
}

/**
 * erofs_od_io_start_folio - start to read a folio, as readahead does
 * @source: where the bytes come from
 * @folio: locked folio in a page cache; unlocked when all of it has been read or has failed
 *
 * Never waits for the daemon, memory or metadata.
 */
void erofs_od_io_start_folio(const struct erofs_od_source *source, struct folio *folio)
{
	read_folios(source, &folio, 1, folio_pos(folio), READAHEAD_GFP, false);
}

/**
 * erofs_od_io_readahead - start to read the folios of a readahead
 * @source: where the bytes come from
 * @rac: the readahead
 * @end: skip folios that start at or after this byte
 *
 * Never waits for the daemon, memory or metadata. The VFS removes the remaining folios.
 */
void erofs_od_io_readahead(struct erofs_od_source *source, struct readahead_control *rac, u64 end)
{
	u64 pos = readahead_pos(rac);

	while (pos < end && readahead_count(rac)) {
		unsigned int max = min(readahead_count(rac), BATCH_MAX);
		struct erofs_od_batch *batch = erofs_od_batch_new(source, max, READAHEAD_GFP);
		struct folio *folio;

		if (!batch)
			return;
		source->first = NULL;
		while (pos < end && batch->nr < batch->max && (folio = readahead_folio(rac))) {
			batch_add(batch, folio, folio_pos(folio));
			pos = batch->end;
		}
		if (!batch->nr) {
			erofs_od_batch_put(batch);
			return;
		}
		batch_submit(batch);
	}
}
