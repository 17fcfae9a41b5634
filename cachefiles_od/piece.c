// SPDX-License-Identifier: GPL-2.0-only
/* A piece of a read: its destination, its read of the cache file, its completion. */
#include "internal.h"

#include <linux/slab.h>
#include <linux/wait_bit.h>

static_assert(sizeof(struct cachefiles_od_piece) <= CACHEFILES_OD_READ_ROOM);

/* Most reads are one piece: the first one needs no allocation. */
static struct cachefiles_od_piece *piece_alloc(struct cachefiles_od_read *read)
{
	struct cachefiles_od_piece *piece = read->room;

	if (piece) {
		/* The first one: no other task has a piece of this read. */
		read->room = NULL;
		piece->in_room = true;
		return piece;
	}
	piece = kmalloc(sizeof(*piece), GFP_NOFS);
	if (piece)
		piece->in_room = false;
	return piece;
}

/* Creates a piece for a range of a read; the caller sets how it continues. */
struct cachefiles_od_piece *cachefiles_od_piece_new(struct cachefiles_od_read *read, size_t from,
						    size_t end)
{
	struct cachefiles_od_piece *piece = piece_alloc(read);

	if (!piece)
		return NULL;
	piece->read = read;
	piece->from = from;
	piece->len = end - from;
	piece->error = 0;
	piece->alone = false;
	piece->late = false;
	piece->reading = false;
	return piece;
}

void cachefiles_od_piece_free(struct cachefiles_od_piece *piece)
{
	if (!piece->in_room)
		kfree(piece);
}

void cachefiles_od_piece_iter(const struct cachefiles_od_piece *piece, size_t skip,
			      struct iov_iter *iter)
{
	const struct cachefiles_od_read *read = piece->read;

	iov_iter_bvec(iter, ITER_DEST, read->bvec, read->nr_bvec, read->len);
	/* Most pieces are a whole read. */
	if (piece->from + skip)
		iov_iter_advance(iter, piece->from + skip);
	iov_iter_truncate(iter, piece->len - skip);
}

/* --- reads of the cache file are counted: punch.c waits for them --- */

/* Under cookie->lock, by the task that found the piece present. */
void cachefiles_od_piece_begin_reading(struct cachefiles_od_piece *piece)
{
	struct cachefiles_od_cookie *cookie = cachefiles_od_piece_cookie(piece);

	lockdep_assert_held(&cookie->lock);
	piece->reading = true;
	piece->epoch = cookie->reading_epoch;
	atomic_inc(&cookie->nr_reading[piece->epoch]);
	piece->unused = cookie->unused.nr &&
			cachefiles_od_unused_has(cookie, cachefiles_od_piece_start(piece),
						 cachefiles_od_piece_end(piece));
}

void cachefiles_od_piece_end_reading(struct cachefiles_od_piece *piece)
{
	atomic_t *nr;

	/* Otherwise it has no epoch. */
	if (!piece->reading)
		return;
	nr = &cachefiles_od_piece_cookie(piece)->nr_reading[piece->epoch];
	piece->reading = false;
	/* The reader's operation keeps the cookie. */
	if (atomic_dec_and_test(nr))
		wake_up_var(nr);
}

/* The rest of the last grain reads as zeroes, whatever the daemon wrote there. */
static void clear_tail(const struct cachefiles_od_piece *piece)
{
	u64 size = cachefiles_od_piece_cookie(piece)->size;
	u64 start = cachefiles_od_piece_start(piece);
	struct iov_iter iter;

	if (start + piece->len <= size)
		return;
	cachefiles_od_piece_iter(piece, size > start ? size - start : 0, &iter);
	iov_iter_zero(iov_iter_count(&iter), &iter);
}

/* Reports a piece, once, and frees it. The read may be freed once this returns. */
void cachefiles_od_piece_done(struct cachefiles_od_piece *piece, int error)
{
	struct cachefiles_od_read *read = piece->read;
	struct cachefiles_od_counters *stats = &cachefiles_od_cookie_cache(read->cookie)->stats;
	size_t from = piece->from, len = piece->len;

	if (error)
		atomic64_inc(&stats->failed);
	else
		clear_tail(piece);
	cachefiles_od_use_piece(piece, error);
	cachefiles_od_piece_end_reading(piece);
	cachefiles_od_piece_free(piece);
	read->done(read, from, len, error);
}
