// SPDX-License-Identifier: GPL-2.0-only
/*
 * Reads are cut into pieces. Each piece is read from the cache file at once or waits for the
 * daemon first, and is reported separately.
 *
 *	piece_start_off	  present: submit; missing: wait.c, which calls piece_go_on()
 *	piece_submit	  direct, around (whole blocks into a bounce buffer), or buffered
 *	piece_go_on	  if present now: submit; else start over and request it alone
 *	piece_take	  its data is in memory: take it before it is stored; or some of it,
 *			  not to be kept: take that, wait for the rest
 *	piece_lost	  the cache file cannot be read: drop the range and ask the daemon
 *	cachefiles_od_piece_done  reports it, once
 *
 * The cache file is only accessed with the cache's credentials.
 */
#include "internal.h"

#include <linux/mm.h>
#include <linux/module.h>
#include <linux/pagemap.h>
#include <linux/slab.h>

#include "../compat/callbacks.h"

/* READs that may yield nothing for a piece before it fails. */
#define TRIES_MAX	8

/* Longest piece that goes through a bounce buffer. */
#define AROUND_MAX	(1U << 20)

/**
 * struct history - what a piece inherits from the one it replaces
 * @expires: if it has waited for the daemon, when to give up, in jiffies; 0 for never
 * @tries: completed READs that yielded nothing for it
 * @reread: reading it from the cache file has failed once
 * @missed: it has waited for the daemon
 * @since: start of that wait
 */
struct history {
	unsigned long expires;
	u8 tries;
	bool reread;
	bool missed;
	unsigned long since;
};

static void read_range(struct cachefiles_od_read *read, size_t from, size_t end,
		       struct history history, bool later);

/*
 * From here to end_io() the task has the cache's credentials, and the operation keeps these and
 * the cache file, even if the read completes.
 */
static const struct cred *begin_io(struct cachefiles_od_cookie *cookie)
{
	/* The reader has an operation: this cannot fail. */
	cachefiles_od_begin_operation(cookie);
	return override_creds(cachefiles_od_cookie_cache(cookie)->cred);
}

static void end_io(struct cachefiles_od_cookie *cookie, const struct cred *saved)
{
	revert_creds(saved);
	cachefiles_od_end_operation(cookie);
}

static struct history piece_history(const struct cachefiles_od_piece *piece)
{
	return (struct history) {
		.expires = piece->expires,
		.tries = piece->tries,
		.reread = piece->reread,
		.missed = piece->missed,
		.since = piece->since,
	};
}

/* Replaces a piece with new ones for the same range. */
static void piece_start_over(struct cachefiles_od_piece *piece)
{
	const struct history history = piece_history(piece);
	struct cachefiles_od_read *read = piece->read;
	size_t from = piece->from, end = from + piece->len;

	cachefiles_od_piece_end_reading(piece);
	cachefiles_od_piece_free(piece);
	read_range(read, from, end, history, false);
}

/* Whether an errno means lost data rather than a bug of ours. */
static bool is_loss(long err)
{
	return err == -EIO || err == -ENODATA || err == -EUCLEAN || err == -EBADMSG ||
	       err == -EILSEQ;
}

/*
 * Reading a piece from the cache file failed. The daemon still has what the medium has lost: it
 * is asked once more, though not for what was read ahead, which has other readers' data in it.
 * Without a daemon, nothing is dropped: the failure may be temporary.
 */
static void piece_lost(struct cachefiles_od_piece *piece, ssize_t ret)
{
	struct cachefiles_od_cookie *cookie = cachefiles_od_piece_cookie(piece);
	u64 start = cachefiles_od_piece_start(piece), end = start + piece->len;
	bool again = is_loss(ret) && !piece->reread && !piece->read->ahead &&
		     READ_ONCE(cachefiles_od_cookie_queue(cookie)->live);

	pr_err_limited(cookie->volume,
		       "volume %s: cache file %s: read of %zu bytes at %llu failed: %zd%s\n",
		       cookie->volume->key, cookie->name, piece->len, start, ret,
		       again ? ", dropping them" : "");
	if (again) {
		start = round_down(start, OD_READ_ALIGN);
		end = min(round_up(end, (u64)OD_READ_ALIGN), cookie->size);
		again = start >= end || cachefiles_od_presence_drop(cookie, start, end) == 0;
	}
	piece->reread = true;
	if (again)
		piece_start_over(piece);
	else
		cachefiles_od_piece_done(piece, -EIO);
}

/* --- through the page cache of the cache's file system --- */

static void piece_read_buffered(struct cachefiles_od_piece *piece)
{
	struct cachefiles_od_cookie *cookie = cachefiles_od_piece_cookie(piece);
	struct file *file = cachefiles_od_file_buffered(cookie);
	struct iov_iter iter;
	struct kiocb iocb;
	ssize_t n;

	if (IS_ERR(file)) {
		piece_lost(piece, PTR_ERR(file));
		return;
	}
	init_sync_kiocb(&iocb, file);
	iocb.ki_pos = cachefiles_od_piece_start(piece);
	cachefiles_od_piece_iter(piece, 0, &iter);
	do {
		n = vfs_iocb_iter_read(file, &iocb, &iter);
	} while (n > 0 && iov_iter_count(&iter));
	if (n > 0)
		cachefiles_od_piece_done(piece, 0);
	else
		piece_lost(piece, n);
}

/* Errors by which direct I/O reports that it is not supported, rather than failed. */
static bool is_refusal(long ret)
{
	return ret >= 0 || ret == -EINVAL || ret == -EOPNOTSUPP || ret == -ENOTBLK;
}

/* --- whole blocks around a piece, into a bounce buffer --- */

/*
 * For bytes that are not aligned as the device requires, in the file or in memory: a tail, or a
 * block smaller than the device's sectors.
 */
static void piece_read_around(struct cachefiles_od_piece *piece)
{
	struct cachefiles_od_cookie *cookie = cachefiles_od_piece_cookie(piece);
	struct iov_iter iter;
	ssize_t ret;
	int err;

	cachefiles_od_piece_iter(piece, 0, &iter);
	err = cachefiles_od_bounce_read(cookie, cachefiles_od_piece_start(piece), piece->len,
					&iter, &ret);
	if (err || ret == (ssize_t)piece->len)
		cachefiles_od_piece_done(piece, err);
	else if (is_refusal(ret))
		piece_read_buffered(piece);
	else
		piece_lost(piece, ret);
}

/* --- what sleeps is put off --- */

static void piece_queue(struct cachefiles_od_piece *piece, work_func_t function)
{
	INIT_WORK(&piece->work, function);
	queue_work(cachefiles_od_wq, &piece->work);
}

static void piece_run(struct work_struct *work, void (*how)(struct cachefiles_od_piece *piece))
{
	struct cachefiles_od_piece *piece = container_of(work, struct cachefiles_od_piece, work);
	struct cachefiles_od_cookie *cookie = cachefiles_od_piece_cookie(piece);
	const struct cred *saved = begin_io(cookie);

	/* @piece may be freed once this returns. */
	how(piece);
	end_io(cookie, saved);
}

static void piece_work_buffered(struct work_struct *work)
{
	piece_run(work, piece_read_buffered);
}

static void piece_work_around(struct work_struct *work)
{
	piece_run(work, piece_read_around);
}

static void piece_fall_back(struct cachefiles_od_piece *piece)
{
	if (is_refusal(piece->ret))
		piece_read_buffered(piece);
	else
		piece_lost(piece, piece->ret);
}

static void piece_work_fall_back(struct work_struct *work)
{
	piece_run(work, piece_fall_back);
}

/* --- straight from the device into the caller's pages --- */

/* Any context. */
static void piece_direct_put(struct cachefiles_od_piece *piece)
{
	if (!refcount_dec_and_test(&piece->refs))
		return;
	if (piece->ret == (long)piece->len)
		cachefiles_od_piece_done(piece, 0);
	else
		piece_queue(piece, piece_work_fall_back);
}

static void piece_direct_done(struct cachefiles_od_piece *piece, long ret)
{
	piece->ret = ret;
	piece_direct_put(piece);
}

OD_COMPAT_KI_COMPLETE(piece_complete, iocb, ret)
{
	piece_direct_done(container_of(iocb, struct cachefiles_od_piece, iocb), ret);
}

/*
 * File systems touch the iocb and its file after queueing the I/O, and some kernels the
 * reader's bvec, too: the read has not ended until they return. begin_io() keeps the file.
 */
static void piece_read_direct(struct cachefiles_od_piece *piece, struct iov_iter *iter)
{
	struct file *file = cachefiles_od_piece_cookie(piece)->file;
	ssize_t ret;

	refcount_set(&piece->refs, 2);
	init_sync_kiocb(&piece->iocb, file);
	piece->iocb.ki_flags |= IOCB_DIRECT;
	piece->iocb.ki_pos = cachefiles_od_piece_start(piece);
	piece->iocb.ki_complete = piece_complete;
	/* Like a loop device: read permission was checked when the file was opened. */
	ret = file->f_op->read_iter(&piece->iocb, iter);
	if (ret != -EIOCBQUEUED)
		piece_direct_done(piece, ret);
	piece_direct_put(piece);
}

/* Reads a piece whose data is present. */
static void piece_submit(struct cachefiles_od_piece *piece)
{
	struct cachefiles_od_cookie *cookie = cachefiles_od_piece_cookie(piece);
	unsigned int align = cookie->dio_align;
	u64 start = cachefiles_od_piece_start(piece);
	struct iov_iter iter;

	if (piece->unused)
		cachefiles_od_unused_read(cookie, start, start + piece->len);
	if (!align) {
		piece_queue(piece, piece_work_buffered);
		return;
	}
	cachefiles_od_piece_iter(piece, 0, &iter);
	if ((start | iov_iter_alignment(&iter)) & (align - 1))
		piece_queue(piece, piece_work_around);
	else
		piece_read_direct(piece, &iter);
}

/* --- after a wait --- */

/* Counts the piece as a read of the cache file if nothing is missing. */
static u64 piece_missing(struct cachefiles_od_piece *piece)
{
	struct cachefiles_od_cookie *cookie = cachefiles_od_piece_cookie(piece);
	u64 start = cachefiles_od_piece_start(piece), missing;

	spin_lock(&cookie->lock);
	missing = od_extents_missing(&cookie->present, start, start + piece->len);
	if (!missing)
		cachefiles_od_piece_begin_reading(piece);
	spin_unlock(&cookie->lock);
	return missing;
}

/*
 * The daemon has completed the READ that a piece waited for, or written all that it needs. What
 * it left out is requested once more, alone, before the reader fails.
 */
static void piece_look_again(struct cachefiles_od_piece *piece)
{
	struct cachefiles_od_cookie *cookie = cachefiles_od_piece_cookie(piece);
	u64 missing = piece_missing(piece);

	if (!missing) {
		piece_submit(piece);
		return;
	}
	if (missing < piece->len) {
		piece->tries = 1;
		piece_start_over(piece);
		return;
	}
	if (!piece->alone && piece->tries < TRIES_MAX) {
		piece_start_over(piece);
		return;
	}
	pr_err_limited(cookie->volume,
		       "volume %s: blob %s: the daemon completed a READ without %zu bytes at %llu\n",
		       cookie->volume->key, cookie->name, piece->len,
		       cachefiles_od_piece_start(piece));
	cachefiles_od_piece_done(piece, -EIO);
}

static void piece_work_look_again(struct work_struct *work)
{
	piece_run(work, piece_look_again);
}

static void piece_go_on(struct cachefiles_od_piece *piece)
{
	if (piece->error)
		cachefiles_od_piece_done(piece, piece->error);
	else
		piece_queue(piece, piece_work_look_again);
}

/* --- from the daemon's write --- */

static void piece_work_submit(struct work_struct *work)
{
	piece_run(work, piece_submit);
}

/*
 * Some of the bytes that a piece waits for are available, but only now. The piece shrinks to
 * that part; new pieces wait for what is before and after it. The daemon's write may keep the file
 * system from being frozen meanwhile, so nothing is read from it here.
 */
static void piece_take(struct cachefiles_od_piece *piece, const struct cachefiles_od_bytes *bytes)
{
	const struct history history = piece_history(piece);
	struct cachefiles_od_cookie *cookie = cachefiles_od_piece_cookie(piece);
	size_t first = piece->from, last = first + piece->len, from, to;
	u64 start = cachefiles_od_piece_start(piece);
	const struct cred *saved = begin_io(cookie);

	from = first + (max(start, bytes->start) - start);
	to = first + (min(start + piece->len, bytes->end) - start);
	piece->from = from;
	piece->len = to - from;
	/* The read exists until this piece is reported. */
	read_range(piece->read, first, from, history, true);
	read_range(piece->read, to, last, history, true);
	if (!bytes->kept)
		atomic64_add(to - from, &cachefiles_od_cookie_cache(cookie)->stats.passed);
	cachefiles_od_piece_done(piece, cachefiles_od_copy_bytes(bytes, piece));
	end_io(cookie, saved);
}

/* --- starting --- */

static struct cachefiles_od_piece *piece_new(struct cachefiles_od_read *read, size_t from,
					     size_t end, struct history history)
{
	struct cachefiles_od_piece *piece = cachefiles_od_piece_new(read, from, end);

	if (!piece)
		return NULL;
	piece->expires = history.expires;
	piece->tries = history.tries;
	piece->reread = history.reread;
	piece->missed = history.missed;
	piece->since = history.since;
	piece->go_on = piece_go_on;
	piece->take = piece_take;
	return piece;
}

/*
 * Limits a piece to the run present at its start, and to the bounce buffer if it needs one;
 * false if nothing is present there.
 */
static bool piece_cut_to_present(struct cachefiles_od_piece *piece)
{
	struct cachefiles_od_cookie *cookie = cachefiles_od_piece_cookie(piece);
	u64 start = cachefiles_od_piece_start(piece), run_end;
	bool present;

	spin_lock(&cookie->lock);
	present = od_extents_run(&cookie->present, start, &run_end);
	if (present)
		cachefiles_od_piece_begin_reading(piece);
	spin_unlock(&cookie->lock);
	if (present && piece->len > run_end - start)
		piece->len = run_end - start;
	if (cookie->dio_align && (start & (cookie->dio_align - 1)) && piece->len > AROUND_MAX)
		piece->len = AROUND_MAX;
	return present;
}

/* Starts a piece, from a work item if @later; returns the bytes it covers. */
static size_t piece_start_off(struct cachefiles_od_piece *piece, bool later)
{
	size_t len;
	int ret;

	for (;;) {
		if (piece_cut_to_present(piece)) {
			len = piece->len;
			if (later)
				piece_queue(piece, piece_work_submit);
			else
				piece_submit(piece);
			return len;
		}
		if (!piece->missed)
			piece->expires = cachefiles_od_deadline(piece->read->timeout_ms);
		/* Once attached to a READ, the piece is no longer ours. */
		ret = cachefiles_od_wait_miss(cachefiles_od_piece_cookie(piece), piece, &len);
		if (ret == 0)
			return len;
		if (ret < 0) {
			len = piece->len;
			cachefiles_od_piece_done(piece, ret);
			return len;
		}
	}
}

/* The read exists until all of its bytes are reported. */
static void read_range(struct cachefiles_od_read *read, size_t from, size_t end,
		       struct history history, bool later)
{
	struct cachefiles_od_piece *piece;

	while (from < end) {
		piece = piece_new(read, from, end, history);
		if (!piece) {
			read->done(read, from, end - from, -ENOMEM);
			return;
		}
		from += piece_start_off(piece, later);
	}
}

static bool read_is_sane(const struct cachefiles_od_read *read)
{
	u64 limit = cachefiles_od_file_length(read->cookie->size), end;

	return read->cookie->file && read->len &&
	       !check_add_overflow(read->start, (u64)read->len, &end) && end <= limit;
}

void cachefiles_od_read(struct cachefiles_od_read *read)
{
	struct cachefiles_od_cookie *cookie = read->cookie;
	const struct history none = { };
	const struct cred *saved;

	if (!read_is_sane(read)) {
		pr_err_limited(cookie->volume,
			       "volume %s: blob %s: read of %zu bytes at %llu is past its end (%llu bytes)\n",
			       cookie->volume->key, cookie->name, read->len, read->start,
			       cookie->size);
		read->done(read, 0, read->len, -EIO);
		return;
	}
	cachefiles_od_use_note(cookie, read->start, read->len);
	saved = begin_io(cookie);
	read_range(read, 0, read->len, none, false);
	end_io(cookie, saved);
}
EXPORT_SYMBOL_GPL(cachefiles_od_read);

void cachefiles_od_cancel_reads(struct cachefiles_od_cookie *cookie, const void *owner)
{
	cachefiles_od_wait_cancel(cookie, owner);
}
EXPORT_SYMBOL_GPL(cachefiles_od_cancel_reads);
