// SPDX-License-Identifier: GPL-2.0-only
/*
 * Reads: a read is cut into pieces, each of which either comes straight from
 * the cache file or waits for the daemon first, and is reported by itself.
 */
#include "internal.h"

#include <linux/module.h>
#include <linux/pagemap.h>
#include <linux/slab.h>

#include "../compat/callbacks.h"

static struct cachefiles_od_cookie *piece_cookie(const struct cachefiles_od_piece *piece)
{
	return piece->read->cookie;
}

static u64 piece_start(const struct cachefiles_od_piece *piece)
{
	return piece->read->start + piece->from;
}

static void piece_iter(const struct cachefiles_od_piece *piece, size_t skip,
		       struct iov_iter *iter)
{
	const struct cachefiles_od_read *read = piece->read;

	iov_iter_bvec(iter, ITER_DEST, read->bvec, read->nr_bvec, read->len);
	iov_iter_advance(iter, piece->from + skip);
	iov_iter_truncate(iter, piece->len - skip);
}

/* The rest of the last grain reads as zeroes, whatever the daemon wrote there. */
static void piece_clear_tail(const struct cachefiles_od_piece *piece)
{
	u64 size = piece_cookie(piece)->size, start = piece_start(piece);
	struct iov_iter iter;

	if (start + piece->len <= size)
		return;
	piece_iter(piece, size > start ? size - start : 0, &iter);
	iov_iter_zero(iov_iter_count(&iter), &iter);
}

static void piece_put(struct cachefiles_od_piece *piece)
{
	if (refcount_dec_and_test(&piece->refs))
		kfree(piece);
}

/* Reports a piece, once, and lets go of it. The read may be gone behind this. */
static void piece_done(struct cachefiles_od_piece *piece, int error)
{
	struct cachefiles_od_read *read = piece->read;
	struct cachefiles_od_counters *stats = &cachefiles_od_cookie_cache(read->cookie)->stats;
	size_t from = piece->from, len = piece->len;

	if (error) {
		atomic64_inc(&stats->failed);
	} else {
		piece_clear_tail(piece);
		atomic64_add(len, &stats->served);
	}
	piece_put(piece);
	read->done(read, from, len, error);
}

static void piece_fail_io(struct cachefiles_od_piece *piece, ssize_t ret)
{
	struct cachefiles_od_cookie *cookie = piece_cookie(piece);

	pr_err_ratelimited("volume %s: cache file %s: %zu bytes at %llu cannot be read: %zd\n",
			   cookie->volume->key, cookie->name, piece->len, piece_start(piece), ret);
	piece_done(piece, -EIO);
}

/* Through the page cache of the cache's file system; sleeps. */
static void piece_read_buffered(struct cachefiles_od_piece *piece)
{
	struct file *file = piece_cookie(piece)->file;
	struct iov_iter iter;
	ssize_t n = 0;

	init_sync_kiocb(&piece->iocb, file);
	piece->iocb.ki_flags &= ~IOCB_DIRECT;
	piece->iocb.ki_pos = piece_start(piece);
	piece_iter(piece, 0, &iter);
	while (iov_iter_count(&iter)) {
		n = vfs_iocb_iter_read(file, &piece->iocb, &iter);
		if (n <= 0)
			break;
	}
	if (iov_iter_count(&iter))
		piece_fail_io(piece, n);
	else
		piece_done(piece, 0);
}

static void piece_work_buffered(struct work_struct *work)
{
	piece_read_buffered(container_of(work, struct cachefiles_od_piece, work));
}

static void piece_queue_buffered(struct cachefiles_od_piece *piece)
{
	INIT_WORK(&piece->work, piece_work_buffered);
	queue_work(cachefiles_od_wq, &piece->work);
}

/* May run in hard interrupt. What direct I/O would not do is done the other way. */
static void piece_direct_done(struct cachefiles_od_piece *piece, long ret)
{
	if (ret == (long)piece->len)
		piece_done(piece, 0);
	else
		piece_queue_buffered(piece);
}

OD_COMPAT_KI_COMPLETE(piece_complete, iocb, ret)
{
	piece_direct_done(container_of(iocb, struct cachefiles_od_piece, iocb), ret);
}

/*
 * Straight from the device into the caller's pages. File systems look at the
 * iocb and its file after they have queued the I/O, which may have completed by
 * then: both have to stay until they return.
 */
static void piece_read_direct(struct cachefiles_od_piece *piece, struct iov_iter *iter)
{
	struct cachefiles_od_cookie *cookie = piece_cookie(piece);
	ssize_t ret;

	refcount_inc(&piece->refs);
	cachefiles_od_begin_operation(cookie);
	init_sync_kiocb(&piece->iocb, cookie->file);
	piece->iocb.ki_flags |= IOCB_DIRECT;
	piece->iocb.ki_pos = piece_start(piece);
	piece->iocb.ki_complete = piece_complete;
	ret = vfs_iocb_iter_read(cookie->file, &piece->iocb, iter);
	if (ret != -EIOCBQUEUED)
		piece_direct_done(piece, ret);
	piece_put(piece);
	cachefiles_od_end_operation(cookie);
}

/*
 * Direct where the file system can and all is aligned; not where pages of the
 * file are cached anyway, because the daemon wrote less than whole blocks.
 */
static bool piece_wants_direct(struct cachefiles_od_piece *piece, struct iov_iter *iter)
{
	struct cachefiles_od_cookie *cookie = piece_cookie(piece);
	u64 start = piece_start(piece), end = start + piece->len;

	if (!cookie->dio_align)
		return false;
	if ((start | end | iov_iter_alignment(iter)) & (cookie->dio_align - 1))
		return false;
	return !filemap_range_has_page(cookie->file->f_mapping, start, end - 1);
}

/* The piece's data is present: read it. */
static void piece_submit(struct cachefiles_od_piece *piece)
{
	struct iov_iter iter;

	piece_iter(piece, 0, &iter);
	if (piece_wants_direct(piece, &iter))
		piece_read_direct(piece, &iter);
	else
		piece_queue_buffered(piece);
}

/* Work: the daemon has answered, or has written all that this piece needs. */
static void piece_work_filled(struct work_struct *work)
{
	struct cachefiles_od_piece *piece = container_of(work, struct cachefiles_od_piece, work);
	struct cachefiles_od_cookie *cookie = piece_cookie(piece);
	u64 start = piece_start(piece), missing;

	spin_lock(&cookie->lock);
	missing = od_extents_missing(&cookie->present, start, start + piece->len);
	spin_unlock(&cookie->lock);
	if (!missing) {
		piece_submit(piece);
		return;
	}
	pr_err_ratelimited("volume %s: blob %s: the daemon answered a READ but left out %llu of %zu bytes at %llu\n",
			   cookie->volume->key, cookie->name, missing, piece->len, start);
	piece_done(piece, -EIO);
}

/* Pieces that have waited go on, or fail where they carry an error. */
void cachefiles_od_piece_resume(struct list_head *pieces)
{
	struct cachefiles_od_piece *piece, *next;

	list_for_each_entry_safe(piece, next, pieces, link) {
		list_del_init(&piece->link);
		if (piece->error) {
			piece_done(piece, piece->error);
			continue;
		}
		INIT_WORK(&piece->work, piece_work_filled);
		queue_work(cachefiles_od_wq, &piece->work);
	}
}

static struct cachefiles_od_piece *piece_alloc(struct cachefiles_od_read *read, size_t from,
					       unsigned int timeout_ms)
{
	struct cachefiles_od_piece *piece = kzalloc(sizeof(*piece), GFP_NOFS);

	if (!piece)
		return NULL;
	refcount_set(&piece->refs, 1);
	piece->read = read;
	piece->from = from;
	piece->len = read->len - from;
	/* 0 means never, so a deadline must not be it. */
	if (timeout_ms)
		piece->expires = (jiffies + msecs_to_jiffies(timeout_ms)) | 1;
	return piece;
}

/* Cuts a piece to what is present at its start; false when that is nothing. */
static bool piece_cut_to_present(struct cachefiles_od_piece *piece)
{
	struct cachefiles_od_cookie *cookie = piece_cookie(piece);
	u64 start = piece_start(piece), run_end;
	bool present;

	spin_lock(&cookie->lock);
	present = od_extents_run(&cookie->present, start, &run_end);
	spin_unlock(&cookie->lock);
	if (present && piece->len > run_end - start)
		piece->len = run_end - start;
	return present;
}

/* Sends a piece on its way; returns the bytes it covers. */
static size_t piece_start_off(struct cachefiles_od_piece *piece)
{
	size_t len;
	int ret;

	for (;;) {
		if (piece_cut_to_present(piece)) {
			len = piece->len;
			piece_submit(piece);
			return len;
		}
		/* Once it hangs on a READ, the piece is no longer ours. */
		ret = cachefiles_od_queue_miss(piece_cookie(piece), piece, &len);
		if (ret == 0)
			return len;
		if (ret < 0) {
			len = piece->len;
			piece_done(piece, ret);
			return len;
		}
	}
}

static bool read_is_sane(const struct cachefiles_od_read *read)
{
	u64 limit = round_up(read->cookie->size, CACHEFILES_OD_GRAIN);

	return read->cookie->file && read->len && !od_add_overflows(read->start, read->len) &&
	       read->start + read->len <= limit;
}

void cachefiles_od_read(struct cachefiles_od_read *read)
{
	struct cachefiles_od_cookie *cookie = read->cookie;
	unsigned int timeout_ms = cookie->timeout_ms;
	size_t from = 0, len = read->len;
	struct cachefiles_od_piece *piece;

	if (!read_is_sane(read)) {
		pr_err_ratelimited("volume %s: blob %s: %zu bytes at %llu lie beyond its %llu bytes\n",
				   cookie->volume->key, cookie->name, len, read->start,
				   cookie->size);
		read->done(read, 0, len, -EIO);
		return;
	}
	if (read->timeout_ms != CACHEFILES_OD_TIMEOUT_DEFAULT)
		timeout_ms = cachefiles_od_timeout_ms(read->timeout_ms);
	/* The read is there for as long as a byte of it was not reported. */
	while (from < len) {
		piece = piece_alloc(read, from, timeout_ms);
		if (!piece) {
			read->done(read, from, len - from, -ENOMEM);
			return;
		}
		from += piece_start_off(piece);
	}
}
EXPORT_SYMBOL_GPL(cachefiles_od_read);

void cachefiles_od_cancel_reads(struct cachefiles_od_cookie *cookie, const void *owner)
{
	cachefiles_od_queue_cancel(cookie, owner);
}
EXPORT_SYMBOL_GPL(cachefiles_od_cancel_reads);
