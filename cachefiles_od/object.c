// SPDX-License-Identifier: GPL-2.0-only
/*
 * A blob and the daemon: OPEN and its reply, closing of the fd, withdrawal.
 *
 *	CLOSED     the daemon has no fd       <- cachefiles_od_object_fd_closed(),
 *						 cachefiles_od_object_forget_daemon()
 *	OPENING    its first OPEN is pending  <- cachefiles_od_object_ask()
 *	REOPENING  a later OPEN is pending    <- cachefiles_od_wait_want_reopen()
 *	OPEN       READs may be sent          <- cachefiles_od_object_copen()
 *	DROPPING   it is being withdrawn      <- cachefiles_od_object_drop()
 *
 * Invariants, under cookie->lock:
 * 1. There is at most one OPEN, cookie->open, from being queued until its reply has been handled;
 *    the function that ends it clears the pointer.
 * 2. object_id is 0 unless the daemon holds an fd, and OPEN implies that it does.
 * 3. READs exist in any state; the daemon can fetch them only in OPEN.
 */
#include "internal.h"

#include <linux/jiffies.h>
#include <linux/sched.h>

#include "../compat/wait.h"

static void set_reads_ready(struct cachefiles_od_cookie *cookie)
{
	struct rb_node *node;

	lockdep_assert_held(&cookie->lock);
	for (node = rb_first(&cookie->reads); node; node = rb_next(node))
		cachefiles_od_request_update_ready(rb_entry(node, struct cachefiles_od_request,
							    node));
}

/* --- the first OPEN --- */

static int queue_first(struct cachefiles_od_cookie *cookie, struct cachefiles_od_request *req)
{
	int err;

	/* The table's reference; on failure the discard below drops it. */
	kref_get(&req->ref);
	spin_lock(&cookie->lock);
	err = cookie->open ? -EIO : od_obj_step(&cookie->state, OD_OBJ_ASK_OPEN);
	if (!err) {
		err = cachefiles_od_request_enqueue(req);
		if (err)
			od_obj_step(&cookie->state, OD_OBJ_REFUSED);
		else
			cookie->open = req;
	}
	spin_unlock(&cookie->lock);
	if (err)
		cachefiles_od_request_discard(req);
	return err;
}

static bool has_ended(const struct cachefiles_od_request *req)
{
	/* Pairs with the release in cachefiles_od_request_end_open(). */
	return smp_load_acquire(&req->done);
}

/* Sends the first OPEN of a blob. Returns 0, -ENOTCONN, -EIO or -ENOMEM. */
int cachefiles_od_object_ask(struct cachefiles_od_cookie *cookie)
{
	struct cachefiles_od_request *req;
	int err;

	req = cachefiles_od_request_alloc(cookie, CACHEFILES_OD_OP_OPEN, GFP_KERNEL);
	if (IS_ERR(req))
		return PTR_ERR(req);
	err = queue_first(cookie, req);
	if (err)
		cachefiles_od_request_put(req);
	else
		cookie->first_open = req;
	return err;
}

/* Time left for a reply, in jiffies. */
static long time_left(const struct cachefiles_od_cookie *cookie)
{
	long left;

	if (!cookie->timeout_ms)
		return MAX_SCHEDULE_TIMEOUT;
	left = cookie->first_open->born + msecs_to_jiffies(cookie->timeout_ms) - jiffies;
	return max(left, 1L);
}

/* No task waits for the first OPEN, or not any more. */
void cachefiles_od_object_stop_waiting(struct cachefiles_od_cookie *cookie)
{
	if (cookie->first_open)
		cachefiles_od_request_put(cookie->first_open);
	cookie->first_open = NULL;
}

/*
 * Waits for the reply to the first OPEN. Returns 0, the daemon's errno, -EINTR if killed, or
 * -ETIMEDOUT. On error the caller drops the cookie, and with it the request.
 */
int cachefiles_od_object_wait(struct cachefiles_od_cookie *cookie)
{
	struct cachefiles_od_queue *queue = cachefiles_od_cookie_queue(cookie);
	struct cachefiles_od_request *req = cookie->first_open;
	long left;
	int err;

	/* Without a daemon, what is present has to suffice. */
	if (!req)
		return 0;
	left = od_compat_wait_event_killable(queue->opened, has_ended(req), time_left(cookie));
	err = left > 0 ? req->error : left == 0 ? -ETIMEDOUT : -EINTR;
	cachefiles_od_object_stop_waiting(cookie);
	return err;
}

/* --- later OPENs --- */

/* Consumes a reference for the table; on success the cookie owns the OPEN. */
static int queue_again(struct cachefiles_od_cookie *cookie, struct cachefiles_od_request *req)
{
	int err;

	lockdep_assert_held(&cookie->lock);
	if (IS_ERR(req))
		return PTR_ERR(req);
	err = cachefiles_od_request_enqueue(req);
	if (!err)
		cookie->open = req;
	return err;
}

/* Work item: sends the OPEN requested by cachefiles_od_wait_want_reopen(). */
void cachefiles_od_object_reopen(struct work_struct *work)
{
	struct cachefiles_od_cookie *cookie =
		container_of(work, struct cachefiles_od_cookie, reopen);
	struct cachefiles_od_request *req;
	bool queued = false;
	LIST_HEAD(pieces);
	LIST_HEAD(ended);

	req = cachefiles_od_request_alloc(cookie, CACHEFILES_OD_OP_OPEN, GFP_NOFS);
	spin_lock(&cookie->lock);
	/* Two daemons may each have had this work queued. */
	if (cookie->state == OD_OBJ_REOPENING && !cookie->open) {
		queued = queue_again(cookie, req) == 0;
		if (!queued) {
			od_obj_step(&cookie->state, OD_OBJ_REFUSED);
			cachefiles_od_wait_fail(cookie, -EIO, &pieces, &ended);
		}
	}
	spin_unlock(&cookie->lock);
	cachefiles_od_wait_resume(&pieces);
	cachefiles_od_request_put_all(&ended);
	if (!IS_ERR(req) && !queued)
		cachefiles_od_request_discard(req);
	cachefiles_od_cookie_put(cookie);
}

/* --- the reply --- */

/*
 * Removes the OPEN that a reply is for from the table. The cookie keeps it until end_reply().
 * The operation pins the cookie's cache file.
 */
static int take_open(struct cachefiles_od_request *req, u32 *object_id, bool *first)
{
	struct cachefiles_od_cookie *cookie = req->cookie;
	int err = -EINVAL;

	if (req->opcode != CACHEFILES_OD_OP_OPEN || !cachefiles_od_begin_operation(cookie))
		return err;
	spin_lock(&cookie->lock);
	if (cookie->open == req)
		err = cachefiles_od_request_step(req, OD_REQ_REPLY);
	*object_id = cookie->object_id;
	*first = cookie->state == OD_OBJ_OPENING;
	spin_unlock(&cookie->lock);
	if (err)
		cachefiles_od_end_operation(cookie);
	return err;
}

/* Completes an OPEN; @object_id is the fd that the reply is for. */
static int end_reply(struct cachefiles_od_request *req, u32 object_id, int err)
{
	struct cachefiles_od_cookie *cookie = req->cookie;
	LIST_HEAD(pieces);
	LIST_HEAD(ended);

	spin_lock(&cookie->lock);
	/* Withdrawn meanwhile: no CLOSE was sent, so this error has to inform the daemon. */
	if (!err && cookie->state == OD_OBJ_DROPPING)
		err = -EIO;
	if (!err && (!object_id || cookie->object_id != object_id))
		err = -EBADFD;
	if (!err && od_obj_step(&cookie->state, OD_OBJ_OPENED))
		err = -EIO;
	cachefiles_od_request_end_open(req, err);
	if (!err) {
		set_reads_ready(cookie);
	} else if (od_obj_step(&cookie->state, OD_OBJ_REFUSED) == 0) {
		cookie->object_id = 0;
		cachefiles_od_wait_fail(cookie, -EIO, &pieces, &ended);
	} else if (cookie->state == OD_OBJ_CLOSED && !RB_EMPTY_ROOT(&cookie->reads)) {
		/* Its daemon has died; what waits now waits for the next one. */
		cachefiles_od_wait_want_reopen(cookie);
	}
	spin_unlock(&cookie->lock);
	cachefiles_od_wait_resume(&pieces);
	cachefiles_od_request_put_all(&ended);
	return err;
}

/*
 * Handles the daemon's reply to an OPEN. An error for the blob goes to the opener, and the
 * write of the reply succeeds; an error in the reply itself goes to the daemon, too.
 */
int cachefiles_od_object_copen(struct cachefiles_od_queue *queue, const struct od_copen *copen)
{
	struct cachefiles_od_request *req = cachefiles_od_request_find(queue, copen->id);
	struct cachefiles_od_cookie *cookie;
	u32 object_id;
	bool first;
	int err;

	if (!req)
		return -EINVAL;
	err = take_open(req, &object_id, &first);
	if (err)
		goto put;
	cookie = req->cookie;
	err = copen->size < 0 ? (int)copen->size :
	      cachefiles_od_backing_settle(cookie, copen->size, copen->validator, first);
	err = end_reply(req, object_id, err);
	/* The opener reports the result of the first one. */
	if (err && !first)
		pr_err_limited(cookie->volume,
			       "volume %s: blob %s: failed to reopen: %d\n",
			       cookie->volume->key, cookie->name, err);
	cachefiles_od_end_operation(cookie);
	/* The table's reference */
	cachefiles_od_request_put(req);
	if (copen->size < 0 || err == -EBADFD)
		err = 0;
put:
	cachefiles_od_request_put(req);
	return err;
}

/* Fails an OPEN that was being delivered but cannot get an fd. */
void cachefiles_od_object_refuse(struct cachefiles_od_request *req, int error)
{
	struct cachefiles_od_cookie *cookie = req->cookie;
	bool mine;

	spin_lock(&cookie->lock);
	mine = cookie->open == req && cachefiles_od_request_step(req, OD_REQ_CANCEL) == 0;
	spin_unlock(&cookie->lock);
	if (!mine)
		return;
	end_reply(req, 0, error);
	cachefiles_od_request_put(req);
}

/* --- the fd's end --- */

/*
 * READs that were delivered to the fd can no longer be completed, and are sent again after a
 * new OPEN.
 */
static void take_back_reads(struct cachefiles_od_cookie *cookie)
{
	struct rb_node *node;

	for (node = rb_first(&cookie->reads); node; node = rb_next(node)) {
		struct cachefiles_od_request *req =
			rb_entry(node, struct cachefiles_od_request, node);

		if (cachefiles_od_request_step(req, OD_REQ_REQUEUE))
			cachefiles_od_request_update_ready(req);
	}
}

/*
 * An OPEN without a reply stays pending when its fd is closed: the daemon's errno may still
 * come. But if the daemon was replaced by a takeover, it goes to the next one.
 */
static void put_back_open(struct cachefiles_od_cookie *cookie)
{
	struct cachefiles_od_request *req = cookie->open;
	unsigned int generation = READ_ONCE(cachefiles_od_cookie_queue(cookie)->generation);

	if (req && req->generation != generation)
		cachefiles_od_request_step(req, OD_REQ_REQUEUE);
}

/* The last holder of a cookie's fd has closed it. */
void cachefiles_od_object_fd_closed(struct cachefiles_od_cookie *cookie, u32 object_id)
{
	spin_lock(&cookie->lock);
	if (cookie->object_id == object_id) {
		cookie->object_id = 0;
		if (od_obj_step(&cookie->state, OD_OBJ_FD_CLOSED)) {
			put_back_open(cookie);
		} else {
			take_back_reads(cookie);
			if (!RB_EMPTY_ROOT(&cookie->reads))
				cachefiles_od_wait_want_reopen(cookie);
		}
	}
	spin_unlock(&cookie->lock);
}

/*
 * The daemon has died and its requests are cancelled: the object is closed, or still being
 * dropped.
 */
void cachefiles_od_object_forget_daemon(struct cachefiles_od_cookie *cookie)
{
	spin_lock(&cookie->lock);
	cookie->object_id = 0;
	if (od_obj_step(&cookie->state, OD_OBJ_FD_CLOSED))
		od_obj_step(&cookie->state, OD_OBJ_REFUSED);
	spin_unlock(&cookie->lock);
}

/* --- withdrawal --- */

/* An OPEN whose reply is being handled is completed there. */
void cachefiles_od_object_cancel_open(struct cachefiles_od_cookie *cookie,
				      struct list_head *ended)
{
	struct cachefiles_od_request *req = cookie->open;

	if (!req || cachefiles_od_request_step(req, OD_REQ_CANCEL))
		return;
	cachefiles_od_request_end_open(req, -EIO);
	list_add_tail(&req->link, ended);
}

/*
 * Withdraws a cookie: what waits for the daemon fails, nothing is queued after this, and a
 * daemon with an fd is sent a CLOSE. Nothing waits for the daemon to read it.
 */
void cachefiles_od_object_drop(struct cachefiles_od_cookie *cookie)
{
	struct cachefiles_od_request *close;
	bool queued = false;
	LIST_HEAD(pieces);
	LIST_HEAD(ended);

	/* Without memory no CLOSE is sent; calls on the daemon's fd then fail. */
	close = cachefiles_od_request_alloc(cookie, CACHEFILES_OD_OP_CLOSE, GFP_KERNEL);
	spin_lock(&cookie->lock);
	if (cookie->state == OD_OBJ_OPEN && !IS_ERR(close)) {
		close->object_id = cookie->object_id;
		queued = cachefiles_od_request_enqueue(close) == 0;
	}
	od_obj_step(&cookie->state, OD_OBJ_DROP);
	cookie->object_id = 0;
	cachefiles_od_wait_fail(cookie, -EIO, &pieces, &ended);
	cachefiles_od_object_cancel_open(cookie, &ended);
	spin_unlock(&cookie->lock);
	if (!IS_ERR(close) && !queued)
		cachefiles_od_request_discard(close);
	cachefiles_od_wait_resume(&pieces);
	cachefiles_od_request_put_all(&ended);
}
