/* SPDX-License-Identifier: GPL-2.0-only */
/* Requests to the daemon, and the pieces of reads that wait for them. */
#ifndef CACHEFILES_OD_REQUESTS_H
#define CACHEFILES_OD_REQUESTS_H

#include <linux/fs.h>
#include <linux/kref.h>
#include <linux/list.h>
#include <linux/rbtree.h>
#include <linux/refcount.h>
#include <linux/spinlock.h>
#include <linux/wait.h>
#include <linux/workqueue.h>
#include <linux/xarray.h>

#include "od/cache.h"
#include "core/extents.h"
#include "core/request.h"

struct bio_vec;
struct cachefiles_od_cache;
struct cachefiles_od_cookie;
struct od_copen;
struct iov_iter;
struct poll_table_struct;

/**
 * struct cachefiles_od_deadlines - deadlines of waiting pieces
 * @lock: protects @next and the arming of @work
 * @work: fails pieces past their deadline
 * @next: when @work is due, in jiffies; valid while it is pending
 */
struct cachefiles_od_deadlines {
	spinlock_t lock;
	struct delayed_work work;
	unsigned long next;
};

/**
 * struct cachefiles_od_queue - requests on their way to the daemon and back
 * @requests: all of them by msg_id; its lock is the queue lock. Those that the
 *	daemon can fetch now carry %CACHEFILES_OD_READY
 * @nr_requests: how many
 * @next_id: next msg_id to try
 * @last_fetched: msg_id that was served last; the next search starts after it
 * @next_object_id: last object_id given out
 * @generation: counts restores: an OPEN of an earlier one belongs to a daemon
 *	that has been taken over from
 * @live: a daemon holds the device; requests may be queued
 * @wide: the daemon accepts READs wider than what readers want
 * @events: the daemon accepts messages about removed blobs
 * @opened: tasks that wait for an OPEN to end
 * @deadlines: of all pieces that wait
 */
struct cachefiles_od_queue {
	struct xarray requests;
	unsigned int nr_requests;
	u32 next_id;
	u32 last_fetched;
	u32 next_object_id;
	unsigned int generation;
	bool live;
	bool wide;
	bool events;
	wait_queue_head_t opened;
	struct cachefiles_od_deadlines deadlines;
};

#define CACHEFILES_OD_READY	XA_MARK_1

/**
 * struct cachefiles_od_request - a request to the daemon
 * @ref: references
 * @cookie: its blob, whose lock protects all fields that change
 * @msg_id: identifies the message
 * @opcode: enum cachefiles_od_opcode
 * @object_id: of a CLOSE: the object of the fd
 * @generation: of an OPEN: the queue's when it was delivered
 * @state: enum od_req_state
 * @range: of a READ: the bytes; of a CULLED: the length is the bytes freed
 * @filled: some data of a READ was filled
 * @passed: some data of a READ was passed to its readers and not kept, or punched since
 * @node: of a READ in the cookie's tree
 * @waits: pieces of reads that wait for a READ, by their first byte
 * @nr_waits: number of @waits
 * @link: of a READ, in the cookie's list; in a list of requests that have ended
 * @born: when it was queued, in jiffies
 * @error: how an OPEN ended
 * @done: an OPEN ended
 */
struct cachefiles_od_request {
	struct kref ref;
	struct cachefiles_od_cookie *cookie;
	u32 msg_id;
	u32 opcode;
	u32 object_id;
	unsigned int generation;
	enum od_req_state state;
	struct od_range range;
	bool filled;
	bool passed;
	struct rb_node node;
	struct rb_root waits;
	unsigned int nr_waits;
	struct list_head link;
	unsigned long born;
	int error;
	bool done;
};

/**
 * struct cachefiles_od_bytes - bytes of a blob that the daemon wrote
 * @start: first byte
 * @end: first byte past the last
 * @bvec: pages, all full but the last
 * @skip: where in them the first byte is
 * @kept: they are stored, too
 */
struct cachefiles_od_bytes {
	u64 start, end;
	const struct bio_vec *bvec;
	size_t skip;
	bool kept;
};

/**
 * struct cachefiles_od_piece - a part of a read that is handled separately
 * @refs: of direct I/O: its completion, and the task that submits it
 * @node: in a request's tree, while it waits
 * @link: in a list of pieces to resume
 * @read: the read; may be freed as soon as the piece was reported
 * @from: first byte, from the start of the read
 * @len: bytes
 * @in_room: it is in the read's @room, and not freed
 * @expires: when to give up waiting, in jiffies; 0 for never
 * @error: errno that it fails with instead of being resumed
 * @tries: READs that were completed without data for it; those with data for others count once
 * @alone: the last of them covered nothing but this piece
 * @reread: a read of the cache file has failed once
 * @late: it waits for a READ some of whose data it may have missed: passed to other
 *	readers before, or punched since
 * @missed: it waits, or has waited, for the daemon
 * @since: when that wait began, in jiffies
 * @reading: it is counted in the cookie's @nr_reading
 * @epoch: epoch that it is counted in
 * @unused: no read had used some of its bytes before
 * @go_on: resumes a piece that has waited
 * @take: resumes a piece that has waited, with some of its bytes in memory
 * @iocb: direct I/O on the cache file
 * @ret: result of the direct I/O
 * @work: continues it in process context
 */
struct cachefiles_od_piece {
	refcount_t refs;
	struct rb_node node;
	struct list_head link;
	struct cachefiles_od_read *read;
	size_t from, len;
	unsigned long expires;
	int error;
	bool in_room;
	u8 tries;
	bool alone;
	bool reread;
	bool late;
	bool missed;
	unsigned long since;
	bool reading;
	u8 epoch;
	bool unused;
	void (*go_on)(struct cachefiles_od_piece *piece);
	void (*take)(struct cachefiles_od_piece *piece, const struct cachefiles_od_bytes *bytes);
	struct kiocb iocb;
	long ret;
	struct work_struct work;
};

static inline struct cachefiles_od_request *cachefiles_od_read_of(struct rb_node *node)
{
	return rb_entry(node, struct cachefiles_od_request, node);
}

static inline struct cachefiles_od_piece *cachefiles_od_piece_of(struct rb_node *node)
{
	return rb_entry(node, struct cachefiles_od_piece, node);
}

static inline u64 cachefiles_od_piece_start(const struct cachefiles_od_piece *piece)
{
	return piece->read->start + piece->from;
}

static inline u64 cachefiles_od_piece_end(const struct cachefiles_od_piece *piece)
{
	return cachefiles_od_piece_start(piece) + piece->len;
}

static inline struct cachefiles_od_cookie *
cachefiles_od_piece_cookie(const struct cachefiles_od_piece *piece)
{
	return piece->read->cookie;
}

/* request.c */
void cachefiles_od_request_init_queue(struct cachefiles_od_queue *queue);
struct cachefiles_od_request *cachefiles_od_request_alloc(struct cachefiles_od_cookie *cookie,
							  u32 opcode, gfp_t gfp);
void cachefiles_od_request_put(struct cachefiles_od_request *req);
void cachefiles_od_request_put_all(struct list_head *ended);
void cachefiles_od_request_discard(struct cachefiles_od_request *req);
int cachefiles_od_request_enqueue(struct cachefiles_od_request *req);
int cachefiles_od_request_step(struct cachefiles_od_request *req, enum od_req_event event);
void cachefiles_od_request_update_ready(struct cachefiles_od_request *req);
bool cachefiles_od_request_is_ready(const struct cachefiles_od_request *req);
void cachefiles_od_request_end_open(struct cachefiles_od_request *req, int error);
struct cachefiles_od_request *cachefiles_od_request_find(struct cachefiles_od_queue *queue,
							 u32 msg_id);
struct cachefiles_od_request *cachefiles_od_request_next(struct cachefiles_od_queue *queue,
							 unsigned long *id);
struct cachefiles_od_request *cachefiles_od_request_next_ready(struct cachefiles_od_queue *queue);
bool cachefiles_od_request_any_ready(struct cachefiles_od_queue *queue);
void cachefiles_od_request_served(struct cachefiles_od_queue *queue, u32 msg_id);
u32 cachefiles_od_request_new_object_id(struct cachefiles_od_queue *queue);
void cachefiles_od_request_set_live(struct cachefiles_od_queue *queue, bool live);
void cachefiles_od_request_restart(struct cachefiles_od_queue *queue);
void cachefiles_od_request_poll_wait(struct file *file, struct poll_table_struct *wait);
void cachefiles_od_request_wake_pollers(void);
void cachefiles_od_request_wake_cullers(void);

/* piece.c */
struct cachefiles_od_piece *cachefiles_od_piece_new(struct cachefiles_od_read *read, size_t from,
						    size_t end);
void cachefiles_od_piece_free(struct cachefiles_od_piece *piece);
void cachefiles_od_piece_iter(const struct cachefiles_od_piece *piece, size_t skip,
			      struct iov_iter *iter);
void cachefiles_od_piece_begin_reading(struct cachefiles_od_piece *piece);
void cachefiles_od_piece_end_reading(struct cachefiles_od_piece *piece);
void cachefiles_od_piece_done(struct cachefiles_od_piece *piece, int error);

/* pieces.c */
struct cachefiles_od_request *cachefiles_od_reads_find(struct cachefiles_od_cookie *cookie,
							u64 pos, u64 *next);
struct rb_node *cachefiles_od_reads_after(struct cachefiles_od_cookie *cookie, u64 pos);
void cachefiles_od_reads_add(struct cachefiles_od_cookie *cookie,
			     struct cachefiles_od_request *req);
void cachefiles_od_waits_add(struct cachefiles_od_request *req,
			     struct cachefiles_od_piece *piece);
void cachefiles_od_waits_take(struct cachefiles_od_request *req,
			      struct cachefiles_od_piece *piece, int error,
			      struct list_head *pieces);
void cachefiles_od_waits_take_all(struct cachefiles_od_request *req, int error,
				  struct list_head *pieces);

/* wait.c */
void cachefiles_od_wait_init(struct cachefiles_od_queue *queue);
void cachefiles_od_wait_stop(struct cachefiles_od_queue *queue);
int cachefiles_od_wait_miss(struct cachefiles_od_cookie *cookie,
			    struct cachefiles_od_piece *piece, size_t *len);
void cachefiles_od_wait_filled(struct cachefiles_od_cookie *cookie, u64 start, u64 end);
void cachefiles_od_wait_forgotten(struct cachefiles_od_cookie *cookie, u64 start, u64 end);
int cachefiles_od_wait_read_complete(struct cachefiles_od_cookie *cookie, u32 object_id,
				     u32 msg_id);
void cachefiles_od_wait_cancel(struct cachefiles_od_cookie *cookie, const void *owner);
void cachefiles_od_wait_end(struct cachefiles_od_request *req, enum od_req_event event, int error,
			    struct list_head *pieces, struct list_head *ended);
void cachefiles_od_wait_fail(struct cachefiles_od_cookie *cookie, int error,
			     struct list_head *pieces, struct list_head *ended);
void cachefiles_od_wait_resume(struct list_head *pieces);
void cachefiles_od_wait_want_reopen(struct cachefiles_od_cookie *cookie);

/* serve.c */
bool cachefiles_od_serve(struct cachefiles_od_cookie *cookie,
			 const struct cachefiles_od_bytes *bytes, struct od_extents *served);
void cachefiles_od_serve_unkept(struct cachefiles_od_cookie *cookie,
				const struct cachefiles_od_bytes *bytes);

/* object.c */
int cachefiles_od_object_ask(struct cachefiles_od_cookie *cookie);
int cachefiles_od_object_wait(struct cachefiles_od_cookie *cookie);
void cachefiles_od_object_stop_waiting(struct cachefiles_od_cookie *cookie);
int cachefiles_od_object_copen(struct cachefiles_od_queue *queue, const struct od_copen *copen);
void cachefiles_od_object_fd_closed(struct cachefiles_od_cookie *cookie, u32 object_id);
void cachefiles_od_object_cancel_open(struct cachefiles_od_cookie *cookie,
				      struct list_head *ended);
void cachefiles_od_object_drop(struct cachefiles_od_cookie *cookie);
void cachefiles_od_object_forget_daemon(struct cachefiles_od_cookie *cookie);
void cachefiles_od_object_reopen(struct work_struct *work);
void cachefiles_od_object_refuse(struct cachefiles_od_request *req, int error);

/* queue.c */
void cachefiles_od_queue_start(struct cachefiles_od_queue *queue);
void cachefiles_od_queue_stop(struct cachefiles_od_queue *queue, struct list_head *pieces,
			      struct list_head *ended);
ssize_t cachefiles_od_queue_fetch(struct cachefiles_od_cache *cache, char __user *buf, size_t len);
void cachefiles_od_queue_restore(struct cachefiles_od_queue *queue);

#endif /* CACHEFILES_OD_REQUESTS_H */
