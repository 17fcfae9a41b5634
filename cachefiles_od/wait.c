// SPDX-License-Identifier: GPL-2.0-only
/*
 * The readers' side of requests: pieces of reads that wait for the daemon.
 *
 * Whether data is missing is decided under cookie->lock, so that a miss and a fill cannot miss
 * each other:
 *
 *	reader (wait_miss)		daemon's writer (fd.c)
 *	lock				lock, mark the range present, unlock
 *	present after all? go on	wait_filled:
 *	otherwise attach to a READ	lock
 *	unlock				take off the pieces that have all they need
 *					unlock
 *
 * If the reader is first, the writer finds it in the tree; if the writer is first, the reader
 * sees the mark. No callback runs with a lock held: pieces are taken off the trees and resumed
 * after the lock is dropped.
 *
 * A piece leaves a READ when its range is present, when it gets bytes from the daemon's write
 * (serve.c), when the READ is completed, when its deadline has passed, when it is
 * cancelled, or when the daemon or the blob goes away. A READ without waiters is given up only at
 * its deadline: data in transit may be needed again.
 */
#include "internal.h"

#include <linux/jiffies.h>

/* --- the end of waiting --- */

/*
 * Ends a READ if @event is legal: adds the pieces that waited for it to @pieces, and the READ
 * with the table's reference to @ended.
 */
void cachefiles_od_wait_end(struct cachefiles_od_request *req, enum od_req_event event, int error,
			    struct list_head *pieces, struct list_head *ended)
{
	if (cachefiles_od_request_step(req, event))
		return;
	cachefiles_od_trace_ended(req, error);
	rb_erase(&req->node, &req->cookie->reads);
	cachefiles_od_waits_take_all(req, error, pieces);
	list_move_tail(&req->link, ended);
}

/* Fails everything that waits for data of a cookie. */
void cachefiles_od_wait_fail(struct cachefiles_od_cookie *cookie, int error,
			     struct list_head *pieces, struct list_head *ended)
{
	struct rb_node *node;

	lockdep_assert_held(&cookie->lock);
	while ((node = rb_first(&cookie->reads)))
		cachefiles_od_wait_end(cachefiles_od_read_of(node), OD_REQ_CANCEL, error, pieces,
				       ended);
}

/* Resumes pieces that were taken off; called without locks. */
void cachefiles_od_wait_resume(struct list_head *pieces)
{
	struct cachefiles_od_piece *piece, *next;

	list_for_each_entry_safe(piece, next, pieces, link) {
		list_del_init(&piece->link);
		/* @piece may be freed once this returns. */
		piece->go_on(piece);
	}
}

/* Whether the READ asked for exactly what the piece needs. */
static bool is_alone(const struct cachefiles_od_request *req,
		     const struct cachefiles_od_piece *piece)
{
	return req->range.start == round_down(cachefiles_od_piece_start(piece), OD_READ_ALIGN) &&
	       req->range.end <= round_up(cachefiles_od_piece_end(piece), OD_READ_ALIGN);
}

static void note_tries(struct cachefiles_od_request *req)
{
	struct rb_node *node;

	for (node = rb_first(&req->waits); node; node = rb_next(node)) {
		struct cachefiles_od_piece *piece = cachefiles_od_piece_of(node);

		/* What it needs may have been present. */
		if (piece->late)
			continue;
		/* A daemon may complete a READ early: the rest is requested again, in turn. */
		if (!req->filled || !piece->tries)
			piece->tries++;
		piece->alone = is_alone(req, piece);
	}
}

/* The daemon has completed a READ; -EINVAL if it is not one of this object's. */
int cachefiles_od_wait_read_complete(struct cachefiles_od_cookie *cookie, u32 object_id,
				       u32 msg_id)
{
	struct cachefiles_od_queue *queue = cachefiles_od_cookie_queue(cookie);
	struct cachefiles_od_request *req = cachefiles_od_request_find(queue, msg_id);
	LIST_HEAD(pieces);
	LIST_HEAD(ended);
	bool known;

	if (!req)
		return -EINVAL;
	if (req->cookie == cookie && req->opcode == CACHEFILES_OD_OP_READ) {
		spin_lock(&cookie->lock);
		if (cookie->object_id == object_id && req->state == OD_REQ_SENT) {
			note_tries(req);
			cachefiles_od_wait_end(req, OD_REQ_REPLY, 0, &pieces, &ended);
		}
		spin_unlock(&cookie->lock);
	}
	known = !list_empty(&ended);
	cachefiles_od_wait_resume(&pieces);
	cachefiles_od_request_put_all(&ended);
	cachefiles_od_request_put(req);
	return known ? 0 : -EINVAL;
}

static bool is_filled(const struct cachefiles_od_cookie *cookie,
		      const struct cachefiles_od_piece *piece)
{
	return od_extents_covers(&cookie->present, cachefiles_od_piece_start(piece),
				 cachefiles_od_piece_end(piece));
}

static void take_filled(struct cachefiles_od_request *req, u64 end, struct list_head *pieces)
{
	struct rb_node *node, *next;

	for (node = rb_first(&req->waits); node; node = next) {
		struct cachefiles_od_piece *piece = cachefiles_od_piece_of(node);

		if (cachefiles_od_piece_start(piece) >= end)
			return;
		next = rb_next(node);
		if (is_filled(req->cookie, piece))
			cachefiles_od_waits_take(req, piece, 0, pieces);
	}
}

/* A range was written, and its whole blocks are present: pieces that have all they need go on. */
void cachefiles_od_wait_filled(struct cachefiles_od_cookie *cookie, u64 start, u64 end)
{
	struct rb_node *node;
	LIST_HEAD(pieces);
	bool present;

	spin_lock(&cookie->lock);
	present = od_extents_missing(&cookie->present, start, end) < end - start;
	for (node = cachefiles_od_reads_after(cookie, start);
	     node && cachefiles_od_read_of(node)->range.start < end; node = rb_next(node)) {
		cachefiles_od_read_of(node)->filled |= present;
		take_filled(cachefiles_od_read_of(node), end, &pieces);
	}
	spin_unlock(&cookie->lock);
	cachefiles_od_wait_resume(&pieces);
}

/*
 * A range was punched: READs in flight may have been filled in part, so they must not be logged
 * as incomplete when they end.
 */
void cachefiles_od_wait_forgotten(struct cachefiles_od_cookie *cookie, u64 start, u64 end)
{
	struct cachefiles_od_request *req;
	struct rb_node *node, *wait;

	spin_lock(&cookie->lock);
	for (node = cachefiles_od_reads_after(cookie, start); node; node = rb_next(node)) {
		req = cachefiles_od_read_of(node);
		if (req->range.start >= end)
			break;
		req->passed = true;
		for (wait = rb_first(&req->waits); wait; wait = rb_next(wait))
			cachefiles_od_piece_of(wait)->late = true;
	}
	spin_unlock(&cookie->lock);
}

static void take_owned(struct cachefiles_od_request *req, const void *owner,
		       struct list_head *pieces)
{
	struct rb_node *node, *next;

	for (node = rb_first(&req->waits); node; node = next) {
		struct cachefiles_od_piece *piece = cachefiles_od_piece_of(node);

		next = rb_next(node);
		if (!owner || piece->read->owner == owner || piece->read->group == owner)
			cachefiles_od_waits_take(req, piece, -EIO, pieces);
	}
}

/* Fails what one owner or group waits for, or everything if NULL. */
void cachefiles_od_wait_cancel(struct cachefiles_od_cookie *cookie, const void *owner)
{
	struct rb_node *node;
	LIST_HEAD(pieces);

	spin_lock(&cookie->lock);
	for (node = rb_first(&cookie->reads); node; node = rb_next(node))
		take_owned(cachefiles_od_read_of(node), owner, &pieces);
	spin_unlock(&cookie->lock);
	cachefiles_od_wait_resume(&pieces);
}

/* --- deadlines --- */

static struct cachefiles_od_cache *cache_of(struct cachefiles_od_queue *queue)
{
	return container_of(queue, struct cachefiles_od_cache, queue);
}

static void arm_deadline(struct cachefiles_od_queue *queue, unsigned long when)
{
	struct cachefiles_od_deadlines *deadlines = &queue->deadlines;
	unsigned long now = jiffies;

	spin_lock(&deadlines->lock);
	/* Without a daemon nothing waits, and nothing is armed after cachefiles_od_wait_stop(). */
	if (READ_ONCE(queue->live) &&
	    (!delayed_work_pending(&deadlines->work) || time_before(when, deadlines->next))) {
		deadlines->next = when;
		/* The pending work holds the cache. */
		if (!mod_delayed_work(cachefiles_od_deadline_wq, &deadlines->work,
				      time_after(when, now) ? when - now : 0))
			kref_get(&cache_of(queue)->ref);
	}
	spin_unlock(&deadlines->lock);
}

/* Takes off pieces that are due; returns the earliest deadline left, 0 for none. */
static unsigned long take_due(struct cachefiles_od_request *req, unsigned long now,
			      struct list_head *pieces)
{
	struct rb_node *node, *next;
	unsigned long left = 0;

	for (node = rb_first(&req->waits); node; node = next) {
		struct cachefiles_od_piece *piece = cachefiles_od_piece_of(node);

		next = rb_next(node);
		if (!piece->expires)
			continue;
		if (time_after_eq(now, piece->expires))
			cachefiles_od_waits_take(req, piece, -ETIMEDOUT, pieces);
		else if (!left || time_before(piece->expires, left))
			left = piece->expires;
	}
	return left;
}

/* A READ whose last waiter gave up is requested again by the next reader. */
static unsigned long expire_request(struct cachefiles_od_request *req, unsigned long now)
{
	struct cachefiles_od_cookie *cookie = req->cookie;
	unsigned long left = 0;
	LIST_HEAD(pieces);
	LIST_HEAD(ended);

	spin_lock(&cookie->lock);
	if (req->nr_waits) {
		left = take_due(req, now, &pieces);
		if (!req->nr_waits)
			cachefiles_od_wait_end(req, OD_REQ_CANCEL, 0, &pieces, &ended);
	}
	spin_unlock(&cookie->lock);
	cachefiles_od_wait_resume(&pieces);
	cachefiles_od_request_put_all(&ended);
	return left;
}

static void expire(struct work_struct *work)
{
	struct cachefiles_od_queue *queue =
		container_of(to_delayed_work(work), struct cachefiles_od_queue, deadlines.work);
	unsigned long id = 0, next = 0, now = jiffies;
	struct cachefiles_od_request *req;

	while ((req = cachefiles_od_request_next(queue, &id))) {
		unsigned long left = expire_request(req, now);

		if (left && (!next || time_before(left, next)))
			next = left;
		cachefiles_od_request_put(req);
	}
	if (next)
		arm_deadline(queue, next);
	cachefiles_od_cache_put(cache_of(queue));
}

void cachefiles_od_wait_init(struct cachefiles_od_queue *queue)
{
	spin_lock_init(&queue->deadlines.lock);
	INIT_DELAYED_WORK(&queue->deadlines.work, expire);
}

/* The daemon has died, and nothing waits any more. */
void cachefiles_od_wait_stop(struct cachefiles_od_queue *queue)
{
	bool was_pending;

	spin_lock(&queue->deadlines.lock);
	was_pending = cancel_delayed_work(&queue->deadlines.work);
	spin_unlock(&queue->deadlines.lock);
	if (was_pending)
		cachefiles_od_cache_put(cache_of(queue));
}

/* --- a miss --- */

/* Data is needed while the daemon has no fd: ask it to open the blob again. */
void cachefiles_od_wait_want_reopen(struct cachefiles_od_cookie *cookie)
{
	lockdep_assert_held(&cookie->lock);
	/* An OPEN being completed checks for waiting READs when it ends. */
	if (cookie->open || od_obj_step(&cookie->state, OD_OBJ_ASK_READ))
		return;
	kref_get(&cookie->ref);
	if (!queue_work(cachefiles_od_wq, &cookie->reopen))
		cachefiles_od_cookie_put(cookie);
}

/*
 * How far a READ for this piece may extend past it: not at all once that yielded nothing, or
 * while unneeded data would not be kept.
 */
static u64 window_of(struct cachefiles_od_cookie *cookie, const struct cachefiles_od_piece *piece)
{
	if (piece->tries || !READ_ONCE(cachefiles_od_cookie_queue(cookie)->wide) ||
	    READ_ONCE(cachefiles_od_cookie_cache(cookie)->room.room) == OD_ROOM_NONE)
		return 0;
	return cachefiles_od_window();
}

/* A single READ may also be too short for all that is needed. */
static void count_widened(struct cachefiles_od_cookie *cookie,
			  const struct cachefiles_od_piece *piece,
			  const struct cachefiles_od_request *req)
{
	u64 wanted = min(cachefiles_od_piece_end(piece), req->range.end);
	u64 bytes = req->range.end - wanted;

	atomic64_add(bytes, &cookie->widened);
	atomic64_add(bytes, &cachefiles_od_cookie_cache(cookie)->stats.widened);
}

static int start_read(struct cachefiles_od_cookie *cookie, const struct cachefiles_od_piece *piece,
		      struct cachefiles_od_request *req, u64 limit)
{
	int err;

	req->range = od_req_widen(cachefiles_od_piece_start(piece), cachefiles_od_piece_end(piece),
				  limit, window_of(cookie, piece), cookie->size);
	err = cachefiles_od_request_enqueue(req);
	if (err)
		return err;
	count_widened(cookie, piece, req);
	cachefiles_od_reads_add(cookie, req);
	if (cookie->state == OD_OBJ_CLOSED)
		cachefiles_od_wait_want_reopen(cookie);
	return 0;
}

static size_t attach(struct cachefiles_od_request *req, struct cachefiles_od_piece *piece)
{
	piece->len = min_t(u64, piece->len, req->range.end - cachefiles_od_piece_start(piece));
	piece->late = req->passed;
	if (!piece->missed)
		piece->since = jiffies;
	piece->missed = true;
	cachefiles_od_waits_add(req, piece);
	if (piece->expires)
		arm_deadline(cachefiles_od_cookie_queue(req->cookie), piece->expires);
	return piece->len;
}

/*
 * Tries to attach a piece to a READ, or to a new one if *@spare is given. Returns 0 if
 * attached, with the piece cut to the @len bytes that the READ covers; 1 if the data is present
 * after all; -EAGAIN if a new READ is needed; -EIO if nothing can fill it.
 */
static int try_miss(struct cachefiles_od_cookie *cookie, struct cachefiles_od_piece *piece,
		    struct cachefiles_od_request **spare, size_t *len)
{
	u64 pos = cachefiles_od_piece_start(piece), run_end, next;
	struct cachefiles_od_request *req;

	lockdep_assert_held(&cookie->lock);
	if (od_extents_run(&cookie->present, pos, &run_end))
		return 1;
	piece->len = min_t(u64, piece->len, run_end - pos);
	if (cookie->state == OD_OBJ_DROPPING)
		return -EIO;
	req = cachefiles_od_reads_find(cookie, pos, &next);
	if (!req) {
		req = *spare;
		if (!req)
			return -EAGAIN;
		if (start_read(cookie, piece, req, min(run_end, next)))
			return -EIO;
		*spare = NULL;
	}
	*len = attach(req, piece);
	return 0;
}

/*
 * Makes a piece wait for missing data. Returns 0 if it waits, cut to the @len bytes that one
 * READ covers, and no longer belongs to the caller; 1 if the data has arrived meanwhile; or an
 * errno if it will not arrive.
 */
int cachefiles_od_wait_miss(struct cachefiles_od_cookie *cookie,
			    struct cachefiles_od_piece *piece, size_t *len)
{
	struct cachefiles_od_request *spare = NULL;
	int ret;

	for (;;) {
		spin_lock(&cookie->lock);
		ret = try_miss(cookie, piece, &spare, len);
		spin_unlock(&cookie->lock);
		if (ret != -EAGAIN)
			break;
		spare = cachefiles_od_request_alloc(cookie, CACHEFILES_OD_OP_READ, GFP_NOFS);
		if (IS_ERR(spare))
			return PTR_ERR(spare);
	}
	if (spare)
		cachefiles_od_request_discard(spare);
	return ret;
}
