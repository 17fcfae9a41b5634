// SPDX-License-Identifier: GPL-2.0-only
/*
 * From locked folios to reads of the cache, and back to unlocked ones.
 *
 * A batch is a run of neighbouring folios. Every byte of it is accounted for
 * exactly once: as zero, as copied, as failed, or as reported by a read of the
 * cache. A folio is ended, and by nobody touched again, when its last byte is
 * accounted for: from here, from a work item, or from a hard interrupt.
 */
#include "internal.h"
#include "io.h"

#include <linux/bvec.h>
#include <linux/highmem.h>
#include <linux/sched.h>
#include <linux/slab.h>
#include <linux/xarray.h>

/* Folios in a batch: what fits a bio, and an allocation that does not fail. */
#define EROFS_OD_BATCH	256U

/**
 * struct erofs_od_run - neighbouring bytes of a file that are neighbours in a blob
 * @blob: which blob; NULL: no run
 * @off: first byte in the blob
 * @pos: first byte in the file
 * @len: how many
 */
struct erofs_od_run {
	struct erofs_od_blob *blob;
	u64 off;
	u64 pos;
	u64 len;
};

/**
 * struct erofs_od_segment - a run being read
 * @read: the read
 * @io: batch that the bytes are for
 * @pos: first byte in the file
 * @left: bytes not reported
 * @bvec: the parts of folios that they go to
 */
struct erofs_od_segment {
	struct cachefiles_od_read read;
	struct erofs_od_io *io;
	u64 pos;
	atomic_long_t left;
	struct bio_vec bvec[];
};

static struct erofs_od_io *erofs_od_io_alloc(const struct erofs_od_source *source,
					     unsigned int max, gfp_t gfp)
{
	struct erofs_od_io *io = kmalloc(struct_size(io, slot, max), gfp);

	if (!io)
		return NULL;
	refcount_set(&io->refs, 1);
	io->source = *source;
	io->gfp = gfp;
	io->may_wait = false;
	io->asked = false;
	io->nr = 0;
	io->max = max;
	io->end = 0;
	return io;
}

/**
 * erofs_od_io_put - drop a reference
 * @io: batch
 *
 * Context: any.
 */
void erofs_od_io_put(struct erofs_od_io *io)
{
	if (refcount_dec_and_test(&io->refs))
		kfree(io);
}

static void erofs_od_io_add(struct erofs_od_io *io, struct folio *folio, u64 pos)
{
	struct erofs_od_slot *slot = &io->slot[io->nr++];

	slot->folio = folio;
	slot->pos = pos;
	atomic_set(&slot->left, (int)folio_size(folio));
	slot->failed = false;
	if (io->source.wait)
		folio_set_checked(folio);
	io->end = pos + folio_size(folio);
}

static u64 erofs_od_slot_end(const struct erofs_od_io *io, unsigned int nr)
{
	return nr + 1 < io->nr ? io->slot[nr + 1].pos : io->end;
}

/* The slot that holds a byte of the file. */
static unsigned int erofs_od_io_find(const struct erofs_od_io *io, u64 pos)
{
	unsigned int low = 0, high = io->nr;

	while (high - low > 1) {
		unsigned int mid = low + (high - low) / 2;

		if (io->slot[mid].pos <= pos)
			low = mid;
		else
			high = mid;
	}
	return low;
}

static void erofs_od_slot_finish(struct erofs_od_io *io, unsigned int nr)
{
	struct erofs_od_slot *slot = &io->slot[nr];
	struct folio *folio = slot->folio;
	bool failed = READ_ONCE(slot->failed);
	u64 size = io->source.size;

	/* What a block holds behind the end of the file is nobody's to see. */
	if (!failed && erofs_od_slot_end(io, nr) > size)
		folio_zero_segment(folio, size > slot->pos ? size - slot->pos : 0,
				   folio_size(folio));
	if (!failed)
		flush_dcache_folio(folio);
	if (io->source.wait)
		folio_clear_checked(folio);
	folio_end_read(folio, !failed);
}

/**
 * erofs_od_io_account - account for some bytes of a batch
 * @io: batch
 * @pos: first byte in the file
 * @len: how many, not 0
 * @error: why they are not there, or 0
 *
 * Context: any, hard interrupt included. What had its last byte accounted for is gone.
 */
void erofs_od_io_account(struct erofs_od_io *io, u64 pos, u64 len, int error)
{
	unsigned int nr = erofs_od_io_find(io, pos);

	if (error && io->source.error)
		WRITE_ONCE(*io->source.error, error);
	/* Without the last folio's lock nothing else keeps the mount. */
	rcu_read_lock();
	for (; len; nr++) {
		struct erofs_od_slot *slot = &io->slot[nr];
		u64 part = min(len, erofs_od_slot_end(io, nr) - pos);

		if (error)
			WRITE_ONCE(slot->failed, true);
		/* Full barrier: whoever takes the last byte sees failed. */
		if (atomic_sub_and_test((int)part, &slot->left))
			erofs_od_slot_finish(io, nr);
		pos += part;
		len -= part;
	}
	if (io->source.wait && wq_has_sleeper(io->source.wait))
		wake_up_all(io->source.wait);
	rcu_read_unlock();
}

/**
 * erofs_od_io_page - the page that a byte of a batch goes to
 * @io: batch
 * @pos: the byte in the file
 */
struct page *erofs_od_io_page(const struct erofs_od_io *io, u64 pos)
{
	const struct erofs_od_slot *slot = &io->slot[erofs_od_io_find(io, pos)];

	return folio_page(slot->folio, (pos - slot->pos) >> PAGE_SHIFT);
}

/* The part of a slot's folio that holds bytes from pos on, as a bvec. */
static u64 erofs_od_io_bvec(const struct erofs_od_io *io, unsigned int nr, u64 pos,
			    u64 len, struct bio_vec *bvec)
{
	const struct erofs_od_slot *slot = &io->slot[nr];
	u64 part = min(len, erofs_od_slot_end(io, nr) - pos);
	size_t at = pos - slot->pos;

	bvec->bv_page = folio_page(slot->folio, at >> PAGE_SHIFT);
	bvec->bv_offset = offset_in_page(at);
	bvec->bv_len = (unsigned int)part;
	return part;
}

static void erofs_od_segment_done(struct cachefiles_od_read *read, size_t from,
				  size_t len, int error)
{
	struct erofs_od_segment *segment =
		container_of(read, struct erofs_od_segment, read);
	struct cachefiles_od_cookie *cookie = read->cookie;

	erofs_od_io_account(segment->io, segment->pos + from, len, error);
	if (!atomic_long_sub_and_test((long)len, &segment->left))
		return;
	erofs_od_io_put(segment->io);
	kfree(segment);
	/* Last: once no operation is left the blob, and then we, may go away. */
	cachefiles_od_end_operation(cookie);
}

static struct erofs_od_segment *erofs_od_segment_new(struct erofs_od_io *io,
						     const struct erofs_od_run *run)
{
	unsigned int first = erofs_od_io_find(io, run->pos);
	unsigned int last = erofs_od_io_find(io, run->pos + run->len - 1);
	unsigned int nr = last - first + 1;
	struct erofs_od_segment *segment;
	u64 pos = run->pos, left = run->len;
	unsigned int i;

	segment = kmalloc(struct_size(segment, bvec, nr), io->gfp);
	if (!segment)
		return NULL;
	for (i = 0; i < nr; i++) {
		u64 part = erofs_od_io_bvec(io, first + i, pos, left, &segment->bvec[i]);

		pos += part;
		left -= part;
	}
	segment->io = io;
	segment->pos = run->pos;
	atomic_long_set(&segment->left, (long)run->len);
	segment->read = (struct cachefiles_od_read) {
		.cookie = run->blob->cookie,
		.owner = io->source.owner,
		.bvec = segment->bvec,
		.nr_bvec = nr,
		.start = run->off,
		.len = (size_t)run->len,
		.timeout_ms = io->source.timeout_ms,
		.done = erofs_od_segment_done,
	};
	return segment;
}

/* Read what has been gathered, and start over. */
static void erofs_od_io_flush(struct erofs_od_io *io, struct erofs_od_run *run)
{
	struct erofs_od_segment *segment;

	if (!run->blob)
		return;
	segment = erofs_od_segment_new(io, run);
	if (!segment) {
		erofs_od_io_account(io, run->pos, run->len, -ENOMEM);
	} else if (!cachefiles_od_begin_operation(run->blob->cookie)) {
		kfree(segment);
		erofs_od_io_account(io, run->pos, run->len, -EIO);
	} else {
		refcount_inc(&io->refs);
		cachefiles_od_read(&segment->read);
	}
	run->blob = NULL;
}

/**
 * erofs_od_io_zero - zero some bytes of a batch, and account for them
 * @io: batch
 * @pos: first byte in the file
 * @len: how many, not 0
 */
void erofs_od_io_zero(struct erofs_od_io *io, u64 pos, u64 len)
{
	unsigned int nr = erofs_od_io_find(io, pos);
	u64 at = pos, left = len;

	for (; left; nr++) {
		struct erofs_od_slot *slot = &io->slot[nr];
		u64 part = min(left, erofs_od_slot_end(io, nr) - at);

		folio_zero_segment(slot->folio, at - slot->pos, at - slot->pos + part);
		at += part;
		left -= part;
	}
	erofs_od_io_account(io, pos, len, 0);
}

/* Inline data came with its inode: most often it needs no read at all. */
static bool erofs_od_io_copy(struct erofs_od_io *io, u64 pos,
			     const struct erofs_od_place *place)
{
	u64 at = 0;

	while (at < place->len) {
		unsigned int nr = erofs_od_io_find(io, pos + at);
		struct bio_vec bvec;
		u64 part = erofs_od_io_bvec(io, nr, pos + at, place->len - at, &bvec);
		bool here;
		void *p;

		part = min_t(u64, part, PAGE_SIZE - bvec.bv_offset);
		p = kmap_local_page(bvec.bv_page);
		here = erofs_od_meta_peek(place->blob, place->off + at,
					  p + bvec.bv_offset, part);
		kunmap_local(p);
		if (!here)
			return false;
		at += part;
	}
	erofs_od_io_account(io, pos, place->len, 0);
	return true;
}

/* Extents are joined if the daemon accepts READs of several, or does not get any. */
static bool erofs_od_may_join(struct erofs_od_io *io, const struct erofs_od_run *run, u64 len)
{
	if (!io->asked) {
		io->wide = cachefiles_od_is_wide(run->blob->cookie);
		io->asked = true;
	}
	return io->wide || cachefiles_od_is_present(run->blob->cookie, run->off, run->len + len);
}

/* Neighbours in the blob need not be neighbours in the file: a hole may lie between. */
static bool erofs_od_run_extend(struct erofs_od_io *io, struct erofs_od_run *run, u64 pos,
				const struct erofs_od_place *place)
{
	if (run->blob != place->blob || run->off + run->len != place->off ||
	    run->pos + run->len != pos || !erofs_od_may_join(io, run, place->len))
		return false;
	run->len += place->len;
	return true;
}

static void erofs_od_io_place(struct erofs_od_io *io, u64 pos,
			      const struct erofs_od_place *place,
			      struct erofs_od_run *run)
{
	if (!place->blob)
		erofs_od_io_zero(io, pos, place->len);
	else if (place->inlined && erofs_od_io_copy(io, pos, place))
		return;
	else if (!erofs_od_run_extend(io, run, pos, place)) {
		erofs_od_io_flush(io, run);
		run->blob = place->blob;
		run->off = place->off;
		run->pos = pos;
		run->len = place->len;
	}
}

/* Account for every byte of a batch, or start what will. */
static int erofs_od_io_submit_plain(struct erofs_od_io *io)
{
	struct erofs_od_run run = { };
	u64 pos = io->slot[0].pos;
	int first_err = 0;

	while (pos < io->end && pos < io->source.size) {
		struct erofs_od_place place = { };
		int err = io->source.map(io->source.inode, pos, io->may_wait, &place);

		if (!place.len || place.len > io->end - pos)
			place.len = io->end - pos;
		if (err) {
			first_err = first_err ?: err;
			erofs_od_io_account(io, pos, place.len, err);
		} else {
			erofs_od_io_place(io, pos, &place, &run);
		}
		pos += place.len;
	}
	erofs_od_io_flush(io, &run);
	if (pos < io->end)
		erofs_od_io_account(io, pos, io->end - pos, 0);
	erofs_od_io_put(io);
	return first_err;
}

static int erofs_od_io_submit(struct erofs_od_io *io)
{
	return io->source.submit ? io->source.submit(io) : erofs_od_io_submit_plain(io);
}

/**
 * erofs_od_io_read_folios - read into some folios
 * @source: where their bytes come from
 * @folios: locked folios of the same size, in a page cache or in none; each is
 *	unlocked when all of it is read, now or later
 * @nr: how many
 * @pos: first byte in the file
 *
 * Waits for metadata, killably, but not for data.
 *
 * Return: 0, or why some of it could not even be tried.
 */
int erofs_od_io_read_folios(const struct erofs_od_source *source, struct folio **folios,
			    unsigned int nr, u64 pos)
{
	struct erofs_od_io *io = erofs_od_io_alloc(source, nr, GFP_NOFS);
	unsigned int i;

	if (!io) {
		for (i = 0; i < nr; i++)
			folio_unlock(folios[i]);
		return -ENOMEM;
	}
	io->may_wait = true;
	for (i = 0; i < nr; i++)
		erofs_od_io_add(io, folios[i], pos + i * folio_size(folios[i]));
	return erofs_od_io_submit(io);
}

/* A folio is locked while it is being read; value entries are shadows of evicted ones. */
static bool erofs_od_io_is_reading(struct inode *inode)
{
	struct folio *folio;
	unsigned long index;

	xa_for_each(&inode->i_data.i_pages, index, folio)
		if (!xa_is_value(folio) && folio_test_locked(folio))
			return true;
	return false;
}

/**
 * erofs_od_io_end_reads - cancel the reads of an inode and wait for them to end
 * @inode: unused inode
 * @blobs: blobs that its data may come from
 * @nr: number of @blobs
 * @owner: owner of the reads
 *
 * Folios that wait for the daemon are locked, and eviction would wait for them unkillably.
 * A read that is not waiting at the moment may start to: hence the loop.
 *
 * Context: sleeps, never on the daemon.
 */
void erofs_od_io_end_reads(struct inode *inode, struct erofs_od_blob *const *blobs,
			   unsigned int nr, const void *owner)
{
	unsigned int i;

	while (erofs_od_io_is_reading(inode)) {
		for (i = 0; i < nr; i++)
			cachefiles_od_cancel_reads(blobs[i]->cookie, owner);
		schedule_timeout_uninterruptible(1);
	}
}

/**
 * erofs_od_io_readahead - start to read what readahead wants
 * @source: where the bytes come from
 * @rac: what it wants
 * @end: leave alone folios that start at or behind this byte
 *
 * Never waits for the daemon. What stays behind is not wanted enough to wait
 * for memory or metadata: the VFS takes it back.
 */
void erofs_od_io_readahead(const struct erofs_od_source *source,
			   struct readahead_control *rac, u64 end)
{
	gfp_t gfp = GFP_NOFS | __GFP_NORETRY | __GFP_NOWARN;
	u64 pos = readahead_pos(rac);

	while (pos < end && readahead_count(rac)) {
		unsigned int max = min(readahead_count(rac), EROFS_OD_BATCH);
		struct erofs_od_io *io = erofs_od_io_alloc(source, max, gfp);
		struct folio *folio;

		if (!io)
			return;
		while (pos < end && io->nr < io->max && (folio = readahead_folio(rac))) {
			erofs_od_io_add(io, folio, folio_pos(folio));
			pos = io->end;
		}
		if (!io->nr) {
			erofs_od_io_put(io);
			return;
		}
		erofs_od_io_submit(io);
	}
}
