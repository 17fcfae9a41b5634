// SPDX-License-Identifier: GPL-2.0-only
/*
 * Requests: their IDs, their states, and which of them the daemon can fetch.
 *
 * A request belongs to its cookie, and cookie->lock protects its state. The queue lock, nested
 * inside, protects what all cookies share: the table of IDs and the mark of requests that can
 * be fetched. Only this file takes it.
 *
 *	QUEUED    cachefiles_od_request_enqueue(), or requeued; marked if
 *		  the daemon has the fd it needs
 *	FETCHING  queue.c copies it to user space
 *	SENT      the daemon owes a reply
 *	DONE      replied to, or given up: out of the table; final
 *
 * Invariants, under cookie->lock:
 * 1. A request is in the table until it is DONE, with a reference of its own.
 * 2. Exactly those requests are marked that are QUEUED and cachefiles_od_request_is_ready().
 * 3. Whenever the mark is set, pollers are woken: daemons poll edge-triggered.
 */
#include "internal.h"

#include <linux/jiffies.h>
#include <linux/poll.h>
#include <linux/slab.h>

/*
 * IDs are allocated cyclically and reused only after wraparound. They stay
 * positive as int, which is what the ioctl's argument is declared as.
 */
#define ID_LIMIT	XA_LIMIT(1, INT_MAX)

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

static struct cachefiles_od_queue *queue_of(const struct cachefiles_od_request *req)
{
	return cachefiles_od_cookie_queue(req->cookie);
}

void cachefiles_od_request_init_queue(struct cachefiles_od_queue *queue)
{
	xa_init_flags(&queue->requests, XA_FLAGS_ALLOC1);
	init_waitqueue_head(&queue->opened);
}

/*
 * Pollers of all devices: a daemon may poll before it has a cache, and epoll registers its wait
 * queue only once, when the file is added.
 */
static DECLARE_WAIT_QUEUE_HEAD(pollers);

void cachefiles_od_request_poll_wait(struct file *file, struct poll_table_struct *wait)
{
	poll_wait(file, &pollers, wait);
}

void cachefiles_od_request_wake_pollers(void)
{
	wake_up_interruptible_poll(&pollers, EPOLLIN | EPOLLRDNORM);
}

/* There is something to cull. */
void cachefiles_od_request_wake_cullers(void)
{
	wake_up_interruptible_poll(&pollers, EPOLLOUT | EPOLLWRNORM);
}

/* --- life --- */

static void request_free(struct kref *ref)
{
	struct cachefiles_od_request *req = container_of(ref, struct cachefiles_od_request, ref);

	cachefiles_od_cookie_put(req->cookie);
	kfree(req);
}

void cachefiles_od_request_put(struct cachefiles_od_request *req)
{
	kref_put(&req->ref, request_free);
}

void cachefiles_od_request_put_all(struct list_head *ended)
{
	struct cachefiles_od_request *req, *next;

	list_for_each_entry_safe(req, next, ended, link) {
		list_del_init(&req->link);
		cachefiles_od_request_put(req);
	}
}

/*
 * Allocates a request with an ID, not queued yet. The ID's slot is reserved here, where memory
 * may be waited for, so queueing needs none.
 */
struct cachefiles_od_request *cachefiles_od_request_alloc(struct cachefiles_od_cookie *cookie,
							  u32 opcode, gfp_t gfp)
{
	struct cachefiles_od_queue *queue = cachefiles_od_cookie_queue(cookie);
	struct cachefiles_od_request *req = kzalloc(sizeof(*req), gfp);
	int err;

	if (!req)
		return ERR_PTR(-ENOMEM);
	err = xa_alloc_cyclic(&queue->requests, &req->msg_id, NULL, ID_LIMIT, &queue->next_id,
			      gfp);
	if (err < 0) {
		kfree(req);
		return ERR_PTR(err);
	}
	kref_init(&req->ref);
	kref_get(&cookie->ref);
	req->cookie = cookie;
	req->opcode = opcode;
	req->waits = RB_ROOT;
	RB_CLEAR_NODE(&req->node);
	INIT_LIST_HEAD(&req->link);
	return req;
}

/* Frees a request that was never queued. */
void cachefiles_od_request_discard(struct cachefiles_od_request *req)
{
	xa_release(&queue_of(req)->requests, req->msg_id);
	cachefiles_od_request_put(req);
}

/* --- states --- */

/* READs wait until the daemon has an fd to write to. */
bool cachefiles_od_request_is_ready(const struct cachefiles_od_request *req)
{
	return req->state == OD_REQ_QUEUED &&
	       (req->opcode != CACHEFILES_OD_OP_READ || req->cookie->state == OD_OBJ_OPEN);
}

/* With the queue lock, too. */
static void mark(struct cachefiles_od_queue *queue, struct cachefiles_od_request *req)
{
	if (cachefiles_od_request_is_ready(req)) {
		__xa_set_mark(&queue->requests, req->msg_id, CACHEFILES_OD_READY);
		cachefiles_od_request_wake_pollers();
	} else {
		__xa_clear_mark(&queue->requests, req->msg_id, CACHEFILES_OD_READY);
	}
}

/* Called after the cookie's state has changed. */
void cachefiles_od_request_update_ready(struct cachefiles_od_request *req)
{
	struct cachefiles_od_queue *queue = queue_of(req);

	lockdep_assert_held(&req->cookie->lock);
	lock_queue(queue);
	mark(queue, req);
	unlock_queue(queue);
}

/* Consumes the caller's reference, except on -ENOTCONN: there is no daemon. */
int cachefiles_od_request_enqueue(struct cachefiles_od_request *req)
{
	struct cachefiles_od_queue *queue = queue_of(req);
	int err = 0;

	lockdep_assert_held(&req->cookie->lock);
	lock_queue(queue);
	if (queue->live) {
		req->born = jiffies;
		__xa_store(&queue->requests, req->msg_id, req, GFP_ATOMIC);
		WRITE_ONCE(queue->nr_requests, queue->nr_requests + 1);
		mark(queue, req);
	} else {
		err = -ENOTCONN;
	}
	unlock_queue(queue);
	return err;
}

/*
 * Applies an event to a request; -EINVAL if it is not legal now. A request that is done leaves
 * the table, and the caller gets the table's reference.
 */
int cachefiles_od_request_step(struct cachefiles_od_request *req, enum od_req_event event)
{
	struct cachefiles_od_queue *queue = queue_of(req);
	int err;

	lockdep_assert_held(&req->cookie->lock);
	err = od_req_step(&req->state, event);
	if (err)
		return err;
	lock_queue(queue);
	mark(queue, req);
	if (req->state == OD_REQ_DONE) {
		__xa_erase(&queue->requests, req->msg_id);
		WRITE_ONCE(queue->nr_requests, queue->nr_requests - 1);
	}
	unlock_queue(queue);
	return 0;
}

/* With the cookie's lock, once, by the caller that completed the OPEN. */
void cachefiles_od_request_end_open(struct cachefiles_od_request *req, int error)
{
	struct cachefiles_od_queue *queue = queue_of(req);

	lockdep_assert_held(&req->cookie->lock);
	req->cookie->open = NULL;
	req->error = error;
	/* Pairs with the acquire in cachefiles_od_object_wait(). */
	smp_store_release(&req->done, true);
	wake_up_all(&queue->opened);
}

/* --- looking requests up: each result carries a reference --- */

static struct cachefiles_od_request *get(struct cachefiles_od_request *req)
{
	if (req)
		kref_get(&req->ref);
	return req;
}

struct cachefiles_od_request *cachefiles_od_request_find(struct cachefiles_od_queue *queue,
							 u32 msg_id)
{
	struct cachefiles_od_request *req;

	lock_queue(queue);
	req = get(xa_load(&queue->requests, msg_id));
	unlock_queue(queue);
	return req;
}

/* The first request with an ID of at least @id, which is advanced past it. */
struct cachefiles_od_request *cachefiles_od_request_next(struct cachefiles_od_queue *queue,
							 unsigned long *id)
{
	struct cachefiles_od_request *req;

	lock_queue(queue);
	req = get(xa_find(&queue->requests, id, ULONG_MAX, XA_PRESENT));
	unlock_queue(queue);
	if (req)
		++*id;
	return req;
}

static struct cachefiles_od_request *find_ready(struct cachefiles_od_queue *queue,
						unsigned long first, unsigned long last)
{
	return xa_find(&queue->requests, &first, last, CACHEFILES_OD_READY);
}

/* The next one after the one served last, cyclically, so that none starves. */
static struct cachefiles_od_request *next_ready(struct cachefiles_od_queue *queue)
{
	return find_ready(queue, queue->last_fetched + 1UL, ULONG_MAX) ?:
	       find_ready(queue, 0, queue->last_fetched);
}

struct cachefiles_od_request *cachefiles_od_request_next_ready(struct cachefiles_od_queue *queue)
{
	struct cachefiles_od_request *req;

	lock_queue(queue);
	req = get(next_ready(queue));
	unlock_queue(queue);
	return req;
}

bool cachefiles_od_request_any_ready(struct cachefiles_od_queue *queue)
{
	return xa_marked(&queue->requests, CACHEFILES_OD_READY);
}

/* --- the daemon's side of the table --- */

void cachefiles_od_request_served(struct cachefiles_od_queue *queue, u32 msg_id)
{
	lock_queue(queue);
	queue->last_fetched = msg_id;
	unlock_queue(queue);
}

u32 cachefiles_od_request_new_object_id(struct cachefiles_od_queue *queue)
{
	u32 id;

	lock_queue(queue);
	id = ++queue->next_object_id ?: ++queue->next_object_id;
	unlock_queue(queue);
	return id;
}

/* Once live is false, nothing more is queued. */
void cachefiles_od_request_set_live(struct cachefiles_od_queue *queue, bool live)
{
	lock_queue(queue);
	WRITE_ONCE(queue->live, live);
	unlock_queue(queue);
}

/* Another daemon takes over: start over with the lowest ID. */
void cachefiles_od_request_restart(struct cachefiles_od_queue *queue)
{
	lock_queue(queue);
	queue->last_fetched = 0;
	WRITE_ONCE(queue->generation, queue->generation + 1);
	unlock_queue(queue);
}
