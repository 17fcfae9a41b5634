// SPDX-License-Identifier: GPL-2.0-only
/* The daemon's side of requests: fetching, requeueing after a takeover, death of the daemon. */
#include "internal.h"

#include <linux/file.h>
#include <linux/slab.h>
#include <linux/uaccess.h>

/* --- fetching --- */

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
		.culled.bytes = req->range.end - req->range.start,
	};
}

/* Reserves a request for this reader of the device. Returns 0; -EMSGSIZE; or 1 to try another. */
static int fetch_begin(struct cachefiles_od_queue *queue, struct cachefiles_od_request *req,
		       size_t len, struct od_message *msg)
{
	struct cachefiles_od_cookie *cookie = req->cookie;
	int err = 1;

	spin_lock(&cookie->lock);
	if (cachefiles_od_request_is_ready(req)) {
		describe(req, msg);
		err = od_message_len(msg) > len ? -EMSGSIZE :
		      cachefiles_od_request_step(req, OD_REQ_FETCH);
	}
	if (!err && req->opcode == CACHEFILES_OD_OP_OPEN) {
		msg->object_id = cachefiles_od_request_new_object_id(queue);
		/* Of this daemon, even if another takes over before the message is read. */
		req->generation = READ_ONCE(queue->generation);
	}
	spin_unlock(&cookie->lock);
	return err;
}

/*
 * A READ names an fd, which may have been closed while the READ was copied. READs delivered to
 * it were requeued: this one must be, too.
 */
static bool is_out_of_date(const struct cachefiles_od_request *req, const struct od_message *msg)
{
	return req->opcode == CACHEFILES_OD_OP_READ && req->cookie->object_id != msg->object_id;
}

/*
 * The message has reached user space, or failed to. No reply is accepted before this, and the
 * fd becomes visible after it. Returns false if the request was given up meanwhile, or has to
 * be fetched again.
 */
static bool fetch_end(struct cachefiles_od_queue *queue, struct cachefiles_od_request *req,
		      const struct od_message *msg, bool delivered)
{
	struct cachefiles_od_cookie *cookie = req->cookie;
	bool ok, late;

	spin_lock(&cookie->lock);
	late = is_out_of_date(req, msg);
	delivered = delivered && !late;
	ok = cachefiles_od_request_step(req, delivered ? OD_REQ_DELIVER : OD_REQ_UNDELIVER) == 0;
	if (ok && delivered) {
		cachefiles_od_request_served(queue, req->msg_id);
		if (req->opcode == CACHEFILES_OD_OP_OPEN)
			cookie->object_id = msg->object_id;
	}
	spin_unlock(&cookie->lock);
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

/*
 * An OPEN carries an fd, which must not be visible to other threads before the message is. If
 * no fd can be allocated, the OPEN fails: otherwise the daemon would sleep until something else
 * wakes it, and the mount with it. Returns 1 to try another.
 */
static int deliver_open(struct cachefiles_od_queue *queue, struct cachefiles_od_request *req,
			struct od_message *msg, char __user *buf)
{
	struct file *file = ERR_PTR(-EBADF);
	int fd = get_unused_fd_flags(O_WRONLY | O_CLOEXEC);
	int err = fd;

	if (fd >= 0) {
		msg->open.fd = fd;
		file = cachefiles_od_fd_create(req->cookie, msg->object_id);
		err = PTR_ERR_OR_ZERO(file) ?: copy_message(msg, buf);
	}
	if (!err && fetch_end(queue, req, msg, true)) {
		fd_install(fd, file);
		return 0;
	}
	if (err)
		cachefiles_od_object_refuse(req, err);
	if (!IS_ERR(file))
		fput(file);
	if (fd >= 0)
		put_unused_fd(fd);
	return err ?: 1;
}

/* CLOSE and CULLED have no reply: they are done once delivered. */
static void end_unreplied(struct cachefiles_od_request *req)
{
	int err;

	spin_lock(&req->cookie->lock);
	err = cachefiles_od_request_step(req, OD_REQ_REPLY);
	spin_unlock(&req->cookie->lock);
	if (!err)
		cachefiles_od_request_put(req);
}

static int deliver_plain(struct cachefiles_od_queue *queue, struct cachefiles_od_request *req,
			 struct od_message *msg, char __user *buf)
{
	int err = copy_message(msg, buf);

	if (!fetch_end(queue, req, msg, err == 0))
		return err ?: 1;
	if (!err && req->opcode != CACHEFILES_OD_OP_READ)
		end_unreplied(req);
	return err;
}

static int deliver(struct cachefiles_od_queue *queue, struct cachefiles_od_request *req,
		   size_t len, struct od_message *msg, char __user *buf)
{
	int err = fetch_begin(queue, req, len, msg);

	if (err)
		return err;
	if (req->opcode == CACHEFILES_OD_OP_OPEN)
		return deliver_open(queue, req, msg, buf);
	return deliver_plain(queue, req, msg, buf);
}

static void count_delivery(struct cachefiles_od_cache *cache,
			   const struct cachefiles_od_request *req)
{
	switch (req->opcode) {
	case CACHEFILES_OD_OP_OPEN:
		atomic64_inc(&cache->stats.opens);
		break;
	case CACHEFILES_OD_OP_READ:
		atomic64_inc(&cache->stats.reads);
		atomic64_inc(&req->cookie->sent);
		cachefiles_od_trace_sent(req);
		break;
	case CACHEFILES_OD_OP_CLOSE:
		atomic64_inc(&cache->stats.closes);
		break;
	}
}

/* Fetches one message for the daemon. Returns its length, 0 if there is none. */
ssize_t cachefiles_od_queue_fetch(struct cachefiles_od_cache *cache, char __user *buf, size_t len)
{
	struct cachefiles_od_queue *queue = &cache->queue;
	struct cachefiles_od_request *req;
	struct od_message msg;
	int err;

	do {
		req = cachefiles_od_request_next_ready(queue);
		if (!req)
			return 0;
		err = deliver(queue, req, len, &msg, buf);
		if (!err)
			count_delivery(cache, req);
		cachefiles_od_request_put(req);
	} while (err == 1);
	return err ?: od_message_len(&msg);
}

/* --- coming, taking over, going --- */

void cachefiles_od_queue_start(struct cachefiles_od_queue *queue)
{
	cachefiles_od_request_set_live(queue, true);
}

/*
 * A daemon takes over from one that died or is about to, while the device was kept open. It
 * gets everything that was delivered and not completed. The holder of a live fd still knows its
 * OPEN, so that is requeued only when the fd is closed; a READ may be completed twice, and the
 * later reply is refused.
 */
static void restore_one(struct cachefiles_od_request *req)
{
	struct cachefiles_od_cookie *cookie = req->cookie;
	bool unknown = false;

	spin_lock(&cookie->lock);
	if (req->opcode == CACHEFILES_OD_OP_CULLED)
		unknown = cachefiles_od_request_step(req, OD_REQ_CANCEL) == 0;
	else if (req->opcode != CACHEFILES_OD_OP_OPEN || !cookie->object_id)
		cachefiles_od_request_step(req, OD_REQ_REQUEUE);
	spin_unlock(&cookie->lock);
	if (unknown)
		cachefiles_od_request_put(req);
}

void cachefiles_od_queue_restore(struct cachefiles_od_queue *queue)
{
	struct cachefiles_od_request *req;
	unsigned long id = 0;

	cachefiles_od_request_restart(queue);
	/* The next daemon may not know what the old one asked for. */
	WRITE_ONCE(queue->wide, false);
	WRITE_ONCE(queue->events, false);
	while ((req = cachefiles_od_request_next(queue, &id))) {
		restore_one(req);
		cachefiles_od_request_put(req);
	}
	cachefiles_od_request_wake_pollers();
}

static void cancel_one(struct cachefiles_od_request *req, struct list_head *pieces,
		       struct list_head *ended)
{
	struct cachefiles_od_cookie *cookie = req->cookie;

	spin_lock(&cookie->lock);
	switch (req->opcode) {
	case CACHEFILES_OD_OP_READ:
		cachefiles_od_wait_end(req, OD_REQ_CANCEL, -EIO, pieces, ended);
		break;
	case CACHEFILES_OD_OP_OPEN:
		if (cookie->open == req)
			cachefiles_od_object_cancel_open(cookie, ended);
		break;
	default:
		if (cachefiles_od_request_step(req, OD_REQ_CANCEL) == 0)
			list_add_tail(&req->link, ended);
	}
	spin_unlock(&cookie->lock);
}

/*
 * The daemon has closed the device: everything that waits for it fails. Stopping and queueing
 * exclude each other, so nothing is queued after this. The caller resumes @pieces and puts
 * @ended once it holds no lock.
 */
void cachefiles_od_queue_stop(struct cachefiles_od_queue *queue, struct list_head *pieces,
			      struct list_head *ended)
{
	struct cachefiles_od_cache *cache = container_of(queue, struct cachefiles_od_cache, queue);
	struct cachefiles_od_volume *volume;
	struct cachefiles_od_cookie *cookie;
	struct cachefiles_od_request *req;
	unsigned long id = 0;

	lockdep_assert_held(&cachefiles_od_mutex);
	cachefiles_od_request_set_live(queue, false);
	while ((req = cachefiles_od_request_next(queue, &id))) {
		cancel_one(req, pieces, ended);
		cachefiles_od_request_put(req);
	}
	list_for_each_entry(volume, &cache->volumes, link)
		list_for_each_entry(cookie, &volume->cookies, link)
			cachefiles_od_object_forget_daemon(cookie);
	cachefiles_od_wait_stop(queue);
}
