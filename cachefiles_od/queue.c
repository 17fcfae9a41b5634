// SPDX-License-Identifier: GPL-2.0-only
/*
 * The request queue: what is asked of the daemon, who waits for it, and what
 * becomes of both.
 *
 * One lock, the xarray's, guards all requests of a cache, the lists of pieces
 * that wait for them and the daemon's side of each cookie. Whether data is
 * missing is decided under it, too, so that a miss and a fill never pass each
 * other by:
 *
 *	reader (queue_miss)		daemon's writer (queue_filled)
 *	lock				mark the range present
 *	present after all? go on	lock
 *	else hang on to a request	take off whoever has all it needs
 *	unlock				unlock
 *
 * If the reader is first, the writer finds it in the list; if the writer is
 * first, the reader sees the mark. Nothing is called back with the lock held:
 * pieces are taken off the lists and set going after it was dropped.
 */
#include "internal.h"

#include <linux/file.h>
#include <linux/jiffies.h>
#include <linux/poll.h>
#include <linux/slab.h>
#include <linux/uaccess.h>

/*
 * Ids go up and are used again only when all others were. They stay positive
 * as int, which is what the ioctl's argument is declared as.
 */
#define CACHEFILES_OD_ID_LIMIT	XA_LIMIT(1, INT_MAX)

static void lock_queue(struct cachefiles_od_queue *queue)
	__acquires(&queue->requests.xa_lock)
{
	xa_lock(&queue->requests);
}

static void unlock_queue(struct cachefiles_od_queue *queue)
	__releases(&queue->requests.xa_lock)
{
	xa_unlock(&queue->requests);
}

static void assert_locked(struct cachefiles_od_queue *queue)
	__must_hold(&queue->requests.xa_lock)
{
	lockdep_assert_held(&queue->requests.xa_lock);
}

static struct cachefiles_od_queue *cookie_queue(const struct cachefiles_od_cookie *cookie)
{
	return &cachefiles_od_cookie_cache(cookie)->queue;
}

/* --- requests --- */

static void request_free(struct kref *ref)
{
	struct cachefiles_od_request *req = container_of(ref, struct cachefiles_od_request, ref);

	cachefiles_od_cookie_put(req->cookie);
	kfree(req);
}

static void request_put(struct cachefiles_od_request *req)
{
	kref_put(&req->ref, request_free);
}

/*
 * A request with an id of its own, not queued yet. The id's slot is reserved
 * here, where memory may be waited for, so that queueing cannot fail.
 */
static struct cachefiles_od_request *request_alloc(struct cachefiles_od_cookie *cookie, u32 opcode,
						   gfp_t gfp)
{
	struct cachefiles_od_queue *queue = cookie_queue(cookie);
	struct cachefiles_od_request *req = kzalloc(sizeof(*req), gfp);
	int err;

	if (!req)
		return ERR_PTR(-ENOMEM);
	err = xa_alloc_cyclic(&queue->requests, &req->msg_id, NULL, CACHEFILES_OD_ID_LIMIT,
			      &queue->next_id, gfp);
	if (err < 0) {
		kfree(req);
		return ERR_PTR(err);
	}
	kref_init(&req->ref);
	kref_get(&cookie->ref);
	req->cookie = cookie;
	req->opcode = opcode;
	INIT_LIST_HEAD(&req->link);
	INIT_LIST_HEAD(&req->waits);
	init_completion(&req->done);
	return req;
}

/* Takes back a request that was never queued. */
static void request_discard(struct cachefiles_od_request *req)
{
	xa_release(&cookie_queue(req->cookie)->requests, req->msg_id);
	request_put(req);
}

/*
 * Who polls the device, of which there is one open file at most. It may poll before
 * it has a cache: epoll asks once, when the file is added, what it is to wait for.
 */
static DECLARE_WAIT_QUEUE_HEAD(cachefiles_od_pollers);

void cachefiles_od_queue_poll_wait(struct file *file, struct poll_table_struct *wait)
{
	poll_wait(file, &cachefiles_od_pollers, wait);
}

static void wake_pollers(void)
{
	wake_up_interruptible_poll(&cachefiles_od_pollers, EPOLLIN | EPOLLRDNORM);
}

/* The queue takes over the caller's reference. */
static void enqueue(struct cachefiles_od_queue *queue, struct cachefiles_od_request *req)
{
	assert_locked(queue);
	req->born = jiffies;
	__xa_store(&queue->requests, req->msg_id, req, GFP_ATOMIC);
	__xa_set_mark(&queue->requests, req->msg_id, CACHEFILES_OD_QUEUED);
	/* Daemons poll edge-triggered: every request must wake them. */
	wake_pollers();
}

/* Moves a request on; what ends here leaves the queue, with the queue's reference. */
static int request_step(struct cachefiles_od_queue *queue, struct cachefiles_od_request *req,
			enum od_req_event event)
{
	int err;

	assert_locked(queue);
	err = od_req_step(&req->state, event);
	if (err)
		return err;
	if (req->state == OD_REQ_QUEUED)
		__xa_set_mark(&queue->requests, req->msg_id, CACHEFILES_OD_QUEUED);
	else
		__xa_clear_mark(&queue->requests, req->msg_id, CACHEFILES_OD_QUEUED);
	if (req->state == OD_REQ_DONE) {
		list_del_init(&req->link);
		__xa_erase(&queue->requests, req->msg_id);
	}
	return 0;
}

/* --- pieces --- */

static void fail_pieces(struct list_head *pieces, int error)
{
	struct cachefiles_od_piece *piece;

	list_for_each_entry(piece, pieces, link)
		piece->error = error;
}

/* Ends a READ; what waited for it is added to @pieces. */
static void end_read(struct cachefiles_od_queue *queue, struct cachefiles_od_request *req,
		     enum od_req_event event, int error, struct list_head *pieces)
{
	if (request_step(queue, req, event))
		return;
	if (error)
		fail_pieces(&req->waits, error);
	list_splice_tail_init(&req->waits, pieces);
}

/* Fails all that waits for data of a cookie; ended requests move to @ended. */
static void fail_reads(struct cachefiles_od_queue *queue, struct cachefiles_od_cookie *cookie,
		       int error, struct list_head *pieces, struct list_head *ended)
{
	struct cachefiles_od_request *req, *next;

	assert_locked(queue);
	list_for_each_entry_safe(req, next, &cookie->reads, link) {
		end_read(queue, req, OD_REQ_CANCEL, error, pieces);
		list_move_tail(&req->link, ended);
	}
}

/* What was taken off the queue under the lock goes on without it. */
static void dispose(struct list_head *pieces, struct list_head *ended)
{
	struct cachefiles_od_request *req, *next;

	cachefiles_od_piece_resume(pieces);
	list_for_each_entry_safe(req, next, ended, link) {
		list_del_init(&req->link);
		request_put(req);
	}
}

static void end_open(struct cachefiles_od_request *req, int error)
{
	req->error = error;
	complete(&req->done);
}

/* --- deadlines --- */

static bool piece_is_due(const struct cachefiles_od_piece *piece, unsigned long now)
{
	return piece->expires && time_after_eq(now, piece->expires);
}

/* Takes off what has waited too long; true when something with a deadline is left. */
static bool expire_request(struct cachefiles_od_request *req, unsigned long now,
			   unsigned long *next, struct list_head *pieces)
{
	struct cachefiles_od_piece *piece, *tmp;
	bool left = false;

	list_for_each_entry_safe(piece, tmp, &req->waits, link) {
		if (piece_is_due(piece, now)) {
			piece->error = -ETIMEDOUT;
			list_move_tail(&piece->link, pieces);
		} else if (piece->expires) {
			if (!left || time_before(piece->expires, *next))
				*next = piece->expires;
			left = true;
		}
	}
	return left;
}

static void arm_expiry(struct cachefiles_od_queue *queue, unsigned long when)
{
	struct cachefiles_od_cache *cache = container_of(queue, struct cachefiles_od_cache, queue);
	unsigned long now = jiffies;

	assert_locked(queue);
	if (delayed_work_pending(&queue->expiry) && !time_before(when, queue->next_expiry))
		return;
	queue->next_expiry = when;
	/* While it is pending, the work holds the cache. */
	if (!mod_delayed_work(cachefiles_od_wq, &queue->expiry,
			      time_after(when, now) ? when - now : 0))
		kref_get(&cache->ref);
}

static void expire(struct work_struct *work)
{
	struct cachefiles_od_queue *queue =
		container_of(to_delayed_work(work), struct cachefiles_od_queue, expiry);
	unsigned long id, next = 0, now = jiffies;
	struct cachefiles_od_request *req;
	LIST_HEAD(pieces);
	LIST_HEAD(ended);
	bool left = false;

	lock_queue(queue);
	xa_for_each(&queue->requests, id, req) {
		bool had_waits = !list_empty(&req->waits);
		unsigned long due = 0;

		if (expire_request(req, now, &due, &pieces)) {
			if (!left || time_before(due, next))
				next = due;
			left = true;
		}
		/* A READ that nobody waits for any more is asked anew by the next reader. */
		if (had_waits && list_empty(&req->waits)) {
			end_read(queue, req, OD_REQ_CANCEL, 0, &pieces);
			list_move_tail(&req->link, &ended);
		}
	}
	if (left)
		arm_expiry(queue, next);
	unlock_queue(queue);
	dispose(&pieces, &ended);
	cachefiles_od_cache_put(container_of(queue, struct cachefiles_od_cache, queue));
}

/* --- the queue's life --- */

void cachefiles_od_queue_init(struct cachefiles_od_queue *queue)
{
	xa_init_flags(&queue->requests, XA_FLAGS_ALLOC1);
	INIT_DELAYED_WORK(&queue->expiry, expire);
}

void cachefiles_od_queue_destroy(struct cachefiles_od_queue *queue)
{
	/* Requests hold the cache: there are none. */
	xa_destroy(&queue->requests);
}

void cachefiles_od_queue_start(struct cachefiles_od_queue *queue)
{
	lock_queue(queue);
	queue->live = true;
	unlock_queue(queue);
}

/* A cookie whose daemon is gone: closed, or dropped if it was being dropped. */
static void forget_daemon(struct cachefiles_od_cookie *cookie)
{
	cookie->object_id = 0;
	if (od_obj_step(&cookie->state, OD_OBJ_FD_CLOSED))
		od_obj_step(&cookie->state, OD_OBJ_REFUSED);
}

/*
 * The daemon is gone for good: all that waits for it fails. Stopping and
 * queueing exclude each other, so nothing is queued behind this.
 */
void cachefiles_od_queue_stop(struct cachefiles_od_queue *queue)
{
	struct cachefiles_od_cache *cache = container_of(queue, struct cachefiles_od_cache, queue);
	struct cachefiles_od_volume *volume;
	struct cachefiles_od_cookie *cookie;
	struct cachefiles_od_request *req;
	LIST_HEAD(pieces);
	LIST_HEAD(ended);
	unsigned long id;

	lockdep_assert_held(&cachefiles_od_mutex);
	lock_queue(queue);
	queue->live = false;
	xa_for_each(&queue->requests, id, req) {
		end_read(queue, req, OD_REQ_CANCEL, -EIO, &pieces);
		if (req->opcode == CACHEFILES_OD_OP_OPEN)
			end_open(req, -EIO);
		list_move_tail(&req->link, &ended);
	}
	list_for_each_entry(volume, &cache->volumes, link)
		list_for_each_entry(cookie, &volume->cookies, link)
			forget_daemon(cookie);
	unlock_queue(queue);
	if (cancel_delayed_work(&queue->expiry))
		cachefiles_od_cache_put(cache);
	dispose(&pieces, &ended);
}

/* --- the daemon reads --- */

/* READs wait until the daemon has an fd to write to. */
static bool is_fetchable(const struct cachefiles_od_request *req)
{
	return req->opcode != CACHEFILES_OD_OP_READ || req->cookie->state == OD_OBJ_OPEN;
}

static struct cachefiles_od_request *find_fetchable(struct cachefiles_od_queue *queue,
						    unsigned long first, unsigned long last)
{
	struct cachefiles_od_request *req;

	for (; (req = xa_find(&queue->requests, &first, last, CACHEFILES_OD_QUEUED)); first++)
		if (is_fetchable(req))
			return req;
	return NULL;
}

/* The next request behind the one that was served last, all around. */
static struct cachefiles_od_request *next_fetchable(struct cachefiles_od_queue *queue)
{
	assert_locked(queue);
	return find_fetchable(queue, queue->last_fetched + 1UL, ULONG_MAX) ?:
	       find_fetchable(queue, 0, queue->last_fetched);
}

bool cachefiles_od_queue_readable(struct cachefiles_od_queue *queue)
{
	bool readable;

	lock_queue(queue);
	readable = next_fetchable(queue) != NULL;
	unlock_queue(queue);
	return readable;
}

static void describe(struct cachefiles_od_request *req, struct od_message *msg)
{
	struct cachefiles_od_cookie *cookie = req->cookie;

	*msg = (struct od_message) {
		.msg_id = req->msg_id,
		.opcode = req->opcode,
		.object_id = req->object_id ?: cookie->object_id,
		.open.volume_key = cookie->volume->key,
		.open.cookie_key = cookie->key,
		.open.cookie_key_len = cookie->key_len,
		.read.off = req->range.start,
		.read.len = req->range.end - req->range.start,
	};
}

/*
 * Reserves the next request for this reader of the device, if its message fits
 * in @len bytes. With 0 the caller owns a reference to *@reqp, NULL for none.
 */
static int fetch_begin(struct cachefiles_od_queue *queue, size_t len,
		       struct cachefiles_od_request **reqp, struct od_message *msg)
{
	struct cachefiles_od_request *req;
	int err = 0;

	lock_queue(queue);
	req = next_fetchable(queue);
	if (req) {
		describe(req, msg);
		if (od_message_len(msg) > len) {
			err = -EMSGSIZE;
		} else {
			request_step(queue, req, OD_REQ_FETCH);
			if (req->opcode == CACHEFILES_OD_OP_OPEN)
				msg->object_id = ++queue->next_object_id ?:
						 ++queue->next_object_id;
			kref_get(&req->ref);
		}
	}
	unlock_queue(queue);
	*reqp = req;
	return err;
}

/*
 * A READ names an fd. While it was copied that fd may have been closed, and
 * what had been delivered to it was put back: so must be what just arrives.
 */
static bool is_out_of_date(const struct cachefiles_od_request *req, const struct od_message *msg)
{
	return req->opcode == CACHEFILES_OD_OP_READ && req->cookie->object_id != msg->object_id;
}

/*
 * The message has reached user space, or has not. Before this nobody may
 * answer; behind it the fd becomes visible. False when the request was given
 * up in the meantime, or has to be fetched once more.
 */
static bool fetch_end(struct cachefiles_od_queue *queue, struct cachefiles_od_request *req,
		      const struct od_message *msg, bool delivered)
{
	struct cachefiles_od_cookie *cookie = req->cookie;
	bool ok, late;

	lock_queue(queue);
	late = is_out_of_date(req, msg);
	delivered = delivered && !late;
	ok = request_step(queue, req, delivered ? OD_REQ_DELIVER : OD_REQ_UNDELIVER) == 0;
	if (ok && delivered) {
		queue->last_fetched = req->msg_id;
		if (req->opcode == CACHEFILES_OD_OP_OPEN) {
			cookie->object_id = msg->object_id;
			cookie->fd_closed = false;
		}
	}
	unlock_queue(queue);
	return ok && !late;
}

static int copy_message(const struct od_message *msg, char __user *buf)
{
	size_t len = od_message_len(msg);
	u8 *bytes = kmalloc(len, GFP_KERNEL);
	int err;

	if (!bytes)
		return -ENOMEM;
	od_message_encode(msg, bytes);
	err = copy_to_user(buf, bytes, len) ? -EFAULT : 0;
	kfree(bytes);
	return err;
}

/* 1 when the request was given up while it was copied. */
static int deliver_open(struct cachefiles_od_queue *queue, struct cachefiles_od_request *req,
			struct od_message *msg, char __user *buf)
{
	struct file *file = ERR_PTR(-EMFILE);
	int fd = get_unused_fd_flags(O_WRONLY | O_CLOEXEC), err = fd;

	if (fd >= 0) {
		msg->open.fd = fd;
		file = cachefiles_od_fd_create(req->cookie, msg->object_id);
		err = PTR_ERR_OR_ZERO(file) ?: copy_message(msg, buf);
	}
	if (fetch_end(queue, req, msg, err == 0) && err == 0) {
		fd_install(fd, file);
		return 0;
	}
	if (!IS_ERR(file))
		fput(file);
	if (fd >= 0)
		put_unused_fd(fd);
	return err ?: 1;
}

/* Nothing is answered to a CLOSE: it ends where it is delivered. */
static void end_close(struct cachefiles_od_queue *queue, struct cachefiles_od_request *req)
{
	int err;

	lock_queue(queue);
	err = request_step(queue, req, OD_REQ_ANSWER);
	unlock_queue(queue);
	if (!err)
		request_put(req);
}

static int deliver_plain(struct cachefiles_od_queue *queue, struct cachefiles_od_request *req,
			 struct od_message *msg, char __user *buf)
{
	int err = copy_message(msg, buf);

	if (!fetch_end(queue, req, msg, err == 0))
		return err ?: 1;
	if (!err && req->opcode == CACHEFILES_OD_OP_CLOSE)
		end_close(queue, req);
	return err;
}

static void count_delivery(struct cachefiles_od_cache *cache, u32 opcode)
{
	switch (opcode) {
	case CACHEFILES_OD_OP_OPEN:
		atomic64_inc(&cache->stats.opens);
		break;
	case CACHEFILES_OD_OP_READ:
		atomic64_inc(&cache->stats.reads);
		break;
	default:
		atomic64_inc(&cache->stats.closes);
	}
}

ssize_t cachefiles_od_queue_fetch(struct cachefiles_od_cache *cache, char __user *buf, size_t len)
{
	struct cachefiles_od_queue *queue = &cache->queue;
	struct cachefiles_od_request *req;
	struct od_message msg;
	int err;

	do {
		err = fetch_begin(queue, len, &req, &msg);
		if (err || !req)
			return err;
		if (req->opcode == CACHEFILES_OD_OP_OPEN)
			err = deliver_open(queue, req, &msg, buf);
		else
			err = deliver_plain(queue, req, &msg, buf);
		request_put(req);
	} while (err == 1);
	if (err)
		return err;
	count_delivery(cache, msg.opcode);
	return od_message_len(&msg);
}

/* --- the daemon answers --- */

/*
 * An OPEN that the daemon owes an answer to; it leaves the queue and is ours.
 * The operation keeps the cookie's cache file in one hand until we are done.
 */
static struct cachefiles_od_request *take_open(struct cachefiles_od_queue *queue, u32 msg_id,
					       bool *first)
{
	struct cachefiles_od_request *req;

	lock_queue(queue);
	req = xa_load(&queue->requests, msg_id);
	if (req && (req->opcode != CACHEFILES_OD_OP_OPEN ||
		    !cachefiles_od_begin_operation(req->cookie)))
		req = NULL;
	if (req && request_step(queue, req, OD_REQ_ANSWER)) {
		cachefiles_od_end_operation(req->cookie);
		req = NULL;
	}
	if (req)
		*first = req->cookie->state == OD_OBJ_OPENING;
	unlock_queue(queue);
	return req;
}

/* What an OPEN's answer means for the cache file. */
static int settle_size(struct cachefiles_od_cookie *cookie, s64 size, bool first)
{
	if (size < 0)
		return size;
	if (first)
		return cachefiles_od_backing_settle(cookie, size);
	if (cookie->size == (u64)size)
		return 0;
	pr_err("volume %s: blob %s had %llu bytes and now has %lld\n", cookie->volume->key,
	       cookie->name, cookie->size, size);
	return -EIO;
}

int cachefiles_od_queue_copen(struct cachefiles_od_queue *queue, const struct od_copen *copen)
{
	struct cachefiles_od_request *req;
	struct cachefiles_od_cookie *cookie;
	LIST_HEAD(pieces);
	LIST_HEAD(ended);
	bool first;
	int err;

	req = take_open(queue, copen->id, &first);
	if (!req)
		return -EINVAL;
	cookie = req->cookie;
	err = settle_size(cookie, copen->size, first);

	lock_queue(queue);
	if (!err && cookie->fd_closed)
		err = -EBADFD;
	if (od_obj_step(&cookie->state, err ? OD_OBJ_REFUSED : OD_OBJ_OPENED))
		err = err ?: -EIO;
	if (err) {
		cookie->object_id = 0;
		fail_reads(queue, cookie, -EIO, &pieces, &ended);
	} else if (!list_empty(&cookie->reads)) {
		wake_pollers();
	}
	unlock_queue(queue);

	/* Whoever waits for the first OPEN reports what became of it. */
	if (err && !first)
		pr_err_ratelimited("volume %s: blob %s cannot be opened again: %d\n",
				   cookie->volume->key, cookie->name, err);
	end_open(req, err);
	dispose(&pieces, &ended);
	cachefiles_od_end_operation(cookie);
	request_put(req);
	return copen->size < 0 ? 0 : err;
}

int cachefiles_od_queue_read_complete(struct cachefiles_od_cookie *cookie, u32 object_id,
				      u32 msg_id)
{
	struct cachefiles_od_queue *queue = cookie_queue(cookie);
	struct cachefiles_od_request *req;
	LIST_HEAD(pieces);
	int err = -EINVAL;

	lock_queue(queue);
	req = xa_load(&queue->requests, msg_id);
	if (req && req->opcode == CACHEFILES_OD_OP_READ && req->cookie == cookie &&
	    cookie->object_id == object_id) {
		err = request_step(queue, req, OD_REQ_ANSWER);
		if (!err)
			list_splice_tail_init(&req->waits, &pieces);
	}
	unlock_queue(queue);
	if (!err) {
		cachefiles_od_piece_resume(&pieces);
		request_put(req);
	}
	return err;
}

/* Takes off the READs of a cookie what is wanted of the pieces that wait for them. */
static void take_pieces(struct cachefiles_od_cookie *cookie,
			bool (*want)(const struct cachefiles_od_piece *piece, const void *arg),
			const void *arg, struct list_head *pieces)
{
	struct cachefiles_od_piece *piece, *next;
	struct cachefiles_od_request *req;

	assert_locked(cookie_queue(cookie));
	list_for_each_entry(req, &cookie->reads, link)
		list_for_each_entry_safe(piece, next, &req->waits, link)
			if (want(piece, arg))
				list_move_tail(&piece->link, pieces);
}

static bool piece_is_filled(const struct cachefiles_od_piece *piece, const void *unused)
{
	const struct cachefiles_od_read *read = piece->read;

	return cachefiles_od_is_present(read->cookie, read->start + piece->from, piece->len);
}

/* Data came in: whoever has all it needs goes on, whatever else was asked. */
void cachefiles_od_queue_filled(struct cachefiles_od_cookie *cookie)
{
	struct cachefiles_od_queue *queue = cookie_queue(cookie);
	LIST_HEAD(pieces);

	lock_queue(queue);
	take_pieces(cookie, piece_is_filled, NULL, &pieces);
	unlock_queue(queue);
	cachefiles_od_piece_resume(&pieces);
}

/*
 * Puts READs of a cookie that were delivered back into the queue, so that
 * whoever gets its next fd answers them.
 */
static void requeue_reads(struct cachefiles_od_queue *queue, struct cachefiles_od_cookie *cookie)
{
	struct cachefiles_od_request *req;

	assert_locked(queue);
	list_for_each_entry(req, &cookie->reads, link)
		if (req->state == OD_REQ_SENT)
			request_step(queue, req, OD_REQ_REQUEUE);
}

/* Data is wanted while the daemon has no fd: ask it to open the blob again. */
static void want_reopen(struct cachefiles_od_queue *queue, struct cachefiles_od_cookie *cookie)
{
	assert_locked(queue);
	if (od_obj_step(&cookie->state, OD_OBJ_ASK_READ))
		return;
	kref_get(&cookie->ref);
	if (!queue_work(cachefiles_od_wq, &cookie->reopen))
		cachefiles_od_cookie_put(cookie);
}

/*
 * The last holder of a cookie's fd closed it. READs that were delivered to it
 * can no longer be answered and go out again behind a new OPEN. An OPEN that
 * is not answered yet keeps waiting: its errno may still come.
 */
void cachefiles_od_queue_fd_closed(struct cachefiles_od_cookie *cookie, u32 object_id)
{
	struct cachefiles_od_queue *queue = cookie_queue(cookie);

	lock_queue(queue);
	if (cookie->object_id == object_id) {
		cookie->object_id = 0;
		if (od_obj_step(&cookie->state, OD_OBJ_FD_CLOSED)) {
			cookie->fd_closed = true;
		} else if (queue->live && !list_empty(&cookie->reads)) {
			requeue_reads(queue, cookie);
			want_reopen(queue, cookie);
		}
	}
	unlock_queue(queue);
}

/*
 * A daemon took over from one that died while somebody kept the device open:
 * it gets everything that was delivered and not answered. Of an OPEN whose fd
 * is alive its holder still knows, so it is not made a second time; a READ
 * may be answered twice, the later answer is refused.
 */
void cachefiles_od_queue_restore(struct cachefiles_od_queue *queue)
{
	struct cachefiles_od_request *req;
	unsigned long id;

	lock_queue(queue);
	xa_for_each(&queue->requests, id, req) {
		if (req->opcode == CACHEFILES_OD_OP_OPEN && !req->cookie->fd_closed)
			continue;
		if (req->state == OD_REQ_SENT)
			request_step(queue, req, OD_REQ_REQUEUE);
	}
	queue->last_fetched = 0;
	wake_pollers();
	unlock_queue(queue);
}

/* --- cookies ask --- */

/*
 * Sends the first OPEN of a blob and waits for its answer: 0, the daemon's
 * errno, -EINTR when killed, -ETIMEDOUT, -ENOTCONN.
 */
int cachefiles_od_queue_open(struct cachefiles_od_cookie *cookie)
{
	struct cachefiles_od_queue *queue = cookie_queue(cookie);
	struct cachefiles_od_request *req;
	long left = MAX_SCHEDULE_TIMEOUT;
	int err;

	req = request_alloc(cookie, CACHEFILES_OD_OP_OPEN, GFP_KERNEL);
	if (IS_ERR(req))
		return PTR_ERR(req);

	lock_queue(queue);
	err = queue->live ? od_obj_step(&cookie->state, OD_OBJ_ASK_OPEN) : -ENOTCONN;
	if (!err) {
		kref_get(&req->ref);
		enqueue(queue, req);
	}
	unlock_queue(queue);
	if (err) {
		request_discard(req);
		return err;
	}

	if (cookie->timeout_ms)
		left = msecs_to_jiffies(cookie->timeout_ms);
	left = wait_for_completion_killable_timeout(&req->done, left);
	err = left > 0 ? req->error : left == 0 ? -ETIMEDOUT : -EINTR;
	/* The caller drops the cookie on an error, and with it the request. */
	request_put(req);
	return err;
}

/* Work: the OPEN that want_reopen() asked for. */
void cachefiles_od_queue_reopen(struct work_struct *work)
{
	struct cachefiles_od_cookie *cookie =
		container_of(work, struct cachefiles_od_cookie, reopen);
	struct cachefiles_od_queue *queue = cookie_queue(cookie);
	struct cachefiles_od_request *req;
	LIST_HEAD(pieces);
	LIST_HEAD(ended);
	bool queued = false;

	req = request_alloc(cookie, CACHEFILES_OD_OP_OPEN, GFP_NOFS);
	lock_queue(queue);
	if (cookie->state == OD_OBJ_REOPENING) {
		if (!IS_ERR(req) && queue->live) {
			enqueue(queue, req);
			queued = true;
		} else {
			od_obj_step(&cookie->state, OD_OBJ_REFUSED);
			fail_reads(queue, cookie, -EIO, &pieces, &ended);
		}
	}
	unlock_queue(queue);
	dispose(&pieces, &ended);
	if (!IS_ERR(req) && !queued)
		request_discard(req);
	cachefiles_od_cookie_put(cookie);
}

/* Requests of a cookie other than its READs. */
static void cancel_others(struct cachefiles_od_queue *queue, struct cachefiles_od_cookie *cookie,
			  struct list_head *ended)
{
	struct cachefiles_od_request *req;
	unsigned long id;

	assert_locked(queue);
	xa_for_each(&queue->requests, id, req) {
		if (req->cookie != cookie || request_step(queue, req, OD_REQ_CANCEL))
			continue;
		if (req->opcode == CACHEFILES_OD_OP_OPEN)
			end_open(req, -EIO);
		list_move_tail(&req->link, ended);
	}
}

/*
 * Withdraws a cookie: what waits for the daemon fails, nothing can be queued
 * behind this, and the daemon is told if it has an fd. Nobody waits for it to
 * listen.
 */
void cachefiles_od_queue_drop(struct cachefiles_od_cookie *cookie)
{
	struct cachefiles_od_queue *queue = cookie_queue(cookie);
	struct cachefiles_od_request *close;
	bool queued = false, was_open;
	LIST_HEAD(pieces);
	LIST_HEAD(ended);

	/* Without memory the daemon is not told; its fd answers with errors then. */
	close = request_alloc(cookie, CACHEFILES_OD_OP_CLOSE, GFP_KERNEL);
	lock_queue(queue);
	was_open = cookie->state == OD_OBJ_OPEN;
	od_obj_step(&cookie->state, OD_OBJ_DROP);
	fail_reads(queue, cookie, -EIO, &pieces, &ended);
	cancel_others(queue, cookie, &ended);
	if (was_open && queue->live && !IS_ERR(close)) {
		close->object_id = cookie->object_id;
		enqueue(queue, close);
		queued = true;
	}
	cookie->object_id = 0;
	unlock_queue(queue);
	if (!IS_ERR(close) && !queued)
		request_discard(close);
	dispose(&pieces, &ended);
}

static bool piece_is_owned(const struct cachefiles_od_piece *piece, const void *owner)
{
	return !owner || piece->read->owner == owner;
}

/* Takes off what one owner, or everybody, waits for. */
void cachefiles_od_queue_cancel(struct cachefiles_od_cookie *cookie, const void *owner)
{
	struct cachefiles_od_queue *queue = cookie_queue(cookie);
	LIST_HEAD(pieces);

	lock_queue(queue);
	take_pieces(cookie, piece_is_owned, owner, &pieces);
	fail_pieces(&pieces, -EIO);
	unlock_queue(queue);
	cachefiles_od_piece_resume(&pieces);
}

/* The READ under way that covers a position, or the one to insert a new one behind. */
static struct cachefiles_od_request *find_read(struct cachefiles_od_cookie *cookie, u64 pos,
					       struct od_range *gap, struct list_head **before)
{
	struct cachefiles_od_request *req;

	*before = &cookie->reads;
	list_for_each_entry(req, &cookie->reads, link) {
		if (pos < req->range.start) {
			gap->end = min(gap->end, req->range.start);
			*before = &req->link;
			return NULL;
		}
		if (pos < req->range.end)
			return req;
		gap->start = max(gap->start, req->range.end);
	}
	return NULL;
}

static size_t hang_on(struct cachefiles_od_queue *queue, struct cachefiles_od_request *req,
		      struct cachefiles_od_piece *piece, u64 pos)
{
	piece->len = min_t(u64, piece->len, req->range.end - pos);
	list_add_tail(&piece->link, &req->waits);
	if (piece->expires)
		arm_expiry(queue, piece->expires);
	return piece->len;
}

/*
 * Tries to hang a piece on a READ, on a new one if *@spare is given. 0: done,
 * the piece was cut to the @len bytes which that READ covers; 1: data is
 * present after all; -EAGAIN: a new READ is needed; another errno: it cannot
 * be had.
 */
static int try_miss(struct cachefiles_od_cookie *cookie, struct cachefiles_od_piece *piece,
		    struct cachefiles_od_request **spare, size_t *len)
{
	struct cachefiles_od_queue *queue = cookie_queue(cookie);
	u64 pos = piece->read->start + piece->from, run_end;
	struct cachefiles_od_request *req;
	struct list_head *before;
	struct od_range gap;

	assert_locked(queue);
	spin_lock(&cookie->lock);
	if (od_extents_run(&cookie->present, pos, &run_end)) {
		spin_unlock(&cookie->lock);
		return 1;
	}
	od_extents_gap(&cookie->present, pos, &gap.start, &gap.end);
	spin_unlock(&cookie->lock);
	piece->len = min_t(u64, piece->len, run_end - pos);

	if (!queue->live || cookie->state == OD_OBJ_DROPPING)
		return -EIO;
	req = find_read(cookie, pos, &gap, &before);
	if (!req) {
		req = *spare;
		if (!req)
			return -EAGAIN;
		*spare = NULL;
		req->range = od_req_widen(pos, gap, cachefiles_od_window(), cookie->size);
		list_add_tail(&req->link, before);
		enqueue(queue, req);
		if (cookie->state == OD_OBJ_CLOSED)
			want_reopen(queue, cookie);
	}
	*len = hang_on(queue, req, piece, pos);
	return 0;
}

/*
 * Makes a piece wait for the data it misses. 0: it does, cut to the @len bytes
 * that one READ covers, and is no longer the caller's; 1: the data came in
 * meanwhile; an errno: it cannot be had.
 */
int cachefiles_od_queue_miss(struct cachefiles_od_cookie *cookie,
			     struct cachefiles_od_piece *piece, size_t *len)
{
	struct cachefiles_od_queue *queue = cookie_queue(cookie);
	struct cachefiles_od_request *spare = NULL;
	int ret;

	for (;;) {
		lock_queue(queue);
		ret = try_miss(cookie, piece, &spare, len);
		unlock_queue(queue);
		if (ret != -EAGAIN)
			break;
		spare = request_alloc(cookie, CACHEFILES_OD_OP_READ, GFP_NOFS);
		if (IS_ERR(spare))
			return PTR_ERR(spare);
	}
	if (spare)
		request_discard(spare);
	return ret;
}
