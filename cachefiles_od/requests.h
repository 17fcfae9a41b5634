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

struct cachefiles_od_cookie;

/**
 * struct cachefiles_od_deadlines - when waiting ends
 * @lock: guards @next and the arming of @work
 * @work: fails what has waited too long
 * @next: when @work is due, in jiffies; meaningful while it is pending
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
 * @next_id: where the search for a free msg_id goes on
 * @last_fetched: msg_id that was served last; the next search starts after it
 * @next_object_id: last object_id given out
 * @generation: counts restores: an OPEN of an earlier one belongs to a daemon
 *	that has been taken over from
 * @live: a daemon holds the device; requests may be queued
 * @wide: the daemon asked for READs wider than what is wanted
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
	wait_queue_head_t opened;
	struct cachefiles_od_deadlines deadlines;
};

#define CACHEFILES_OD_READY	XA_MARK_1

/**
 * struct cachefiles_od_request - a question to the daemon
 * @ref: references
 * @cookie: the blob it is about; its lock guards all that can change here
 * @msg_id: its name
 * @opcode: enum cachefiles_od_opcode
 * @object_id: for a CLOSE, the fd that it is about
 * @generation: the queue's when an OPEN was delivered
 * @state: where it is
 * @range: what a READ asks for
 * @node: of a READ in the cookie's tree
 * @waits: pieces of reads that wait for a READ, by their first byte
 * @nr_waits: how many
 * @link: in a list of requests that have ended
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
	struct rb_node node;
	struct rb_root waits;
	unsigned int nr_waits;
	struct list_head link;
	unsigned long born;
	int error;
	bool done;
};

/**
 * struct cachefiles_od_piece - a part of a read that goes its own way
 * @refs: the piece's reporter and the submitter of its I/O
 * @node: in a request's tree, while it waits
 * @link: in a list of pieces that go on
 * @read: the read; may be freed as soon as the piece was reported
 * @from: first byte, from the start of the read
 * @len: bytes
 * @expires: when to give up waiting, in jiffies; 0 for never
 * @error: why the piece fails instead of going on
 * @tries: READs that were completed and gave it nothing
 * @alone: the last of them asked for just what it wants
 * @reread: the cache file has failed to give it back once
 * @go_on: takes over a piece that has waited
 * @iocb: direct I/O on the cache file
 * @ret: how that ended
 * @work: what cannot be done where it was found out
 */
struct cachefiles_od_piece {
	refcount_t refs;
	struct rb_node node;
	struct list_head link;
	struct cachefiles_od_read *read;
	size_t from, len;
	unsigned long expires;
	int error;
	u8 tries;
	bool alone;
	bool reread;
	void (*go_on)(struct cachefiles_od_piece *piece);
	struct kiocb iocb;
	long ret;
	struct work_struct work;
};

#endif /* CACHEFILES_OD_REQUESTS_H */
