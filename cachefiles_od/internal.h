/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * What the files of cachefiles_od share.
 *
 * References: a request and an anonymous fd hold their cookie, a cookie holds
 * its volume, a volume holds the cache; the daemon holds the cache too.
 *
 * Locks, outermost first (Documentation/locking.rst tells the whole order):
 *   daemon->mutex           what a daemon has configured
 *   cachefiles_od_mutex     the bound cache, its volumes, their cookies
 *   cache->names_mutex      which file or folder a name in the cache stands for
 *   cookie->write_mutex     the dirty mark of a cache file
 *   queue->requests.xa_lock requests, what waits for them, daemon's side of
 *                           each cookie ("the queue lock")
 *   cookie->lock            presence map and cache file of a cookie
 */
#ifndef CACHEFILES_OD_INTERNAL_H
#define CACHEFILES_OD_INTERNAL_H

#define pr_fmt(fmt) "cachefiles_od: " fmt

#include <linux/completion.h>
#include <linux/cred.h>
#include <linux/fs.h>
#include <linux/kref.h>
#include <linux/list.h>
#include <linux/mutex.h>
#include <linux/path.h>
#include <linux/refcount.h>
#include <linux/spinlock.h>
#include <linux/uio.h>
#include <linux/wait.h>
#include <linux/workqueue.h>
#include <linux/xarray.h>
#include <linux/cachefiles_od.h>

#include "od/cache.h"
#include "core/command.h"
#include "core/extents.h"
#include "core/key.h"
#include "core/limit.h"
#include "core/message.h"
#include "core/request.h"

struct cachefiles_od_daemon;
struct poll_table_struct;

/**
 * struct cachefiles_od_queue - requests on their way to the daemon and back
 * @requests: all of them by msg_id; queued ones carry %CACHEFILES_OD_QUEUED
 * @next_id: where the search for a free msg_id goes on
 * @last_fetched: msg_id that was served last; the next search starts behind it
 * @next_object_id: last object_id given away
 * @live: a daemon holds the device; requests may be queued
 * @expiry: fails what has waited too long
 * @next_expiry: when @expiry is due, in jiffies; meaningful while it is pending
 */
struct cachefiles_od_queue {
	struct xarray requests;
	u32 next_id;
	u32 last_fetched;
	u32 next_object_id;
	bool live;
	struct delayed_work expiry;
	unsigned long next_expiry;
};

#define CACHEFILES_OD_QUEUED	XA_MARK_1

/**
 * struct cachefiles_od_counters - what happened since the cache was bound
 * @opens: OPEN messages delivered
 * @reads: READ messages delivered
 * @closes: CLOSE messages delivered
 * @filled: bytes written by the daemon
 * @served: bytes read from cache files
 * @failed: reads or parts of reads that failed
 */
struct cachefiles_od_counters {
	atomic64_t opens, reads, closes, filled, served, failed;
};

/**
 * struct cachefiles_od_cache - the cache folder and all that goes through it
 * @ref: references
 * @dir: the folder as the daemon named it
 * @tag: the cache's name
 * @root: the folder
 * @store: its "cache" folder
 * @graveyard: its "graveyard" folder
 * @cred: whose rights cache files are handled with
 * @blocks: limits of blocks
 * @files: limits of files
 * @block_size: bytes that the file system remembers at once
 * @has_xattrs: files can say what they hold after a restart
 * @names_mutex: held from finding a blob's folders until its file is known to
 *	culling, so that nobody sees a folder half made or takes one away
 * @volumes: joined volumes, under cachefiles_od_mutex
 * @nr_buried: number for the next name in the graveyard
 * @queue: requests
 * @stats: counters
 */
struct cachefiles_od_cache {
	struct kref ref;
	char *dir;
	char *tag;
	struct path root, store, graveyard;
	const struct cred *cred;
	struct od_limit blocks, files;
	unsigned int block_size;
	bool has_xattrs;
	struct mutex names_mutex;
	struct list_head volumes;
	atomic_t nr_buried;
	struct cachefiles_od_queue queue;
	struct cachefiles_od_counters stats;
};

/**
 * struct cachefiles_od_volume - a name space of blobs
 * @ref: references
 * @cache: where its folder lies
 * @link: in @cache's list
 * @cookies: open blobs, under cachefiles_od_mutex
 * @hash: hash of @key
 * @name: folder name; @key is behind its first letter
 * @key: volume key
 */
struct cachefiles_od_volume {
	struct kref ref;
	struct cachefiles_od_cache *cache;
	struct list_head link;
	struct list_head cookies;
	u32 hash;
	const char *key;
	char name[OD_NAME_MAX + 1];
};

/**
 * struct cachefiles_od_cookie - an open blob
 * @ref: references
 * @volume: where its name means something
 * @link: in @volume's list
 * @key: name of the blob
 * @key_len: bytes in @key
 * @hash: hash of @key
 * @name: file name
 * @timeout_ms: deadline of this blob's waits, resolved, 0 for none
 * @nr_ops: operations, and one for the cookie's own life
 * @lock: guards @present, and the coming and going of @file
 * @file: cache file; stays once the cookie was handed out
 * @size: bytes of the blob; stays once the cookie was handed out
 * @present: presence map
 * @dio_align: alignment of direct I/O on @file, 0 where there is none
 * @write_mutex: guards @dirty
 * @dirty: the file is marked as one whose holes do not tell what is present
 * @state: how it stands with the daemon, under the queue lock like what follows
 * @object_id: names the daemon's fd, 0 without one
 * @fd_closed: the fd was closed before its OPEN was answered
 * @reads: READ requests under way, sorted and apart from each other
 * @reopen: sends an OPEN when data is wanted while the daemon has no fd
 */
struct cachefiles_od_cookie {
	struct kref ref;
	struct cachefiles_od_volume *volume;
	struct list_head link;
	u8 *key;
	u32 key_len;
	u32 hash;
	char *name;
	unsigned int timeout_ms;
	atomic_t nr_ops;

	spinlock_t lock;
	struct file *file;
	u64 size;
	struct od_extents present;
	unsigned int dio_align;
	struct mutex write_mutex;
	bool dirty;

	enum od_obj_state state;
	u32 object_id;
	bool fd_closed;
	struct list_head reads;
	struct work_struct reopen;
};

/**
 * struct cachefiles_od_request - a question to the daemon
 * @ref: references
 * @cookie: the blob it is about
 * @msg_id: its name
 * @opcode: enum cachefiles_od_opcode
 * @object_id: for a CLOSE, the fd that it is about
 * @state: where it is, under the queue lock like what follows
 * @range: what a READ asks for
 * @link: in the cookie's list of READs
 * @waits: pieces of reads that wait for it
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
	enum od_req_state state;
	struct od_range range;
	struct list_head link;
	struct list_head waits;
	unsigned long born;
	int error;
	struct completion done;
};

/**
 * struct cachefiles_od_piece - a part of a read that goes its own way
 * @refs: whoever will report the piece, and whoever is submitting its I/O
 * @link: in a request's list, or in a list of pieces that go on
 * @read: the read; may be gone as soon as the piece was reported
 * @from: first byte, from the start of the read
 * @len: bytes
 * @expires: when to give up waiting, in jiffies; 0 for never
 * @error: why the piece fails instead of going on
 * @iocb: I/O on the cache file
 * @work: what cannot be done where it was found out
 */
struct cachefiles_od_piece {
	refcount_t refs;
	struct list_head link;
	struct cachefiles_od_read *read;
	size_t from, len;
	unsigned long expires;
	int error;
	struct kiocb iocb;
	struct work_struct work;
};

/* main.c */
extern struct workqueue_struct *cachefiles_od_wq;
unsigned int cachefiles_od_timeout_ms(unsigned int timeout_ms);
u64 cachefiles_od_window(void);

/* dev.c */
int cachefiles_od_dev_register(void);
void cachefiles_od_dev_unregister(void);

/* cache.c */
extern struct mutex cachefiles_od_mutex;
extern struct cachefiles_od_cache *cachefiles_od_bound;

/**
 * struct cachefiles_od_config - what a daemon asks for before it goes live
 * @dir: cache folder
 * @tag: name, or NULL
 * @secctx: security context of cache files, or NULL
 * @blocks: limits of blocks
 * @files: limits of files
 */
struct cachefiles_od_config {
	char *dir;
	char *tag;
	char *secctx;
	struct od_limit blocks, files;
};

struct cachefiles_od_cache *cachefiles_od_cache_bind(const struct cachefiles_od_config *config);
void cachefiles_od_cache_unbind(struct cachefiles_od_cache *cache);
void cachefiles_od_cache_release_if_idle(struct cachefiles_od_cache *cache);
void cachefiles_od_cache_put(struct cachefiles_od_cache *cache);
enum od_room cachefiles_od_cache_room(struct cachefiles_od_cache *cache);

/* volume.c */
void cachefiles_od_volume_put(struct cachefiles_od_volume *volume);

/* cookie.c */
void cachefiles_od_cookie_put(struct cachefiles_od_cookie *cookie);
int cachefiles_od_cookie_mark_present(struct cachefiles_od_cookie *cookie, u64 start, u64 end);
static inline struct cachefiles_od_cache *
cachefiles_od_cookie_cache(const struct cachefiles_od_cookie *cookie)
{
	return cookie->volume->cache;
}

/* backing.c */
int cachefiles_od_backing_probe(struct cachefiles_od_cache *cache);
int cachefiles_od_backing_find(struct cachefiles_od_cookie *cookie);
int cachefiles_od_backing_settle(struct cachefiles_od_cookie *cookie, u64 size);
int cachefiles_od_backing_mark_dirty(struct cachefiles_od_cookie *cookie);
int cachefiles_od_backing_bury(struct cachefiles_od_cache *cache, const struct path *dir,
			       struct dentry *victim);
void cachefiles_od_backing_close(struct cachefiles_od_cookie *cookie);

/* queue.c */
void cachefiles_od_queue_init(struct cachefiles_od_queue *queue);
void cachefiles_od_queue_destroy(struct cachefiles_od_queue *queue);
void cachefiles_od_queue_start(struct cachefiles_od_queue *queue);
void cachefiles_od_queue_stop(struct cachefiles_od_queue *queue);
void cachefiles_od_queue_poll_wait(struct file *file, struct poll_table_struct *wait);
bool cachefiles_od_queue_readable(struct cachefiles_od_queue *queue);
ssize_t cachefiles_od_queue_fetch(struct cachefiles_od_cache *cache, char __user *buf, size_t len);
void cachefiles_od_queue_restore(struct cachefiles_od_queue *queue);
int cachefiles_od_queue_open(struct cachefiles_od_cookie *cookie);
int cachefiles_od_queue_copen(struct cachefiles_od_queue *queue, const struct od_copen *copen);
int cachefiles_od_queue_read_complete(struct cachefiles_od_cookie *cookie, u32 object_id,
				      u32 msg_id);
void cachefiles_od_queue_fd_closed(struct cachefiles_od_cookie *cookie, u32 object_id);
void cachefiles_od_queue_filled(struct cachefiles_od_cookie *cookie);
void cachefiles_od_queue_drop(struct cachefiles_od_cookie *cookie);
void cachefiles_od_queue_cancel(struct cachefiles_od_cookie *cookie, const void *owner);
void cachefiles_od_queue_reopen(struct work_struct *work);
int cachefiles_od_queue_miss(struct cachefiles_od_cookie *cookie,
			     struct cachefiles_od_piece *piece, size_t *len);

/* io.c */
void cachefiles_od_piece_resume(struct list_head *pieces);

/* fd.c */
struct file *cachefiles_od_fd_create(struct cachefiles_od_cookie *cookie, u32 object_id);
void cachefiles_od_fd_exit(void);

/* cull.c */
int cachefiles_od_cull(struct cachefiles_od_cache *cache, const char *name);
int cachefiles_od_inuse(struct cachefiles_od_cache *cache, const char *name);

/* stats.c */
int cachefiles_od_stats_register(void);
void cachefiles_od_stats_unregister(void);

#endif /* CACHEFILES_OD_INTERNAL_H */
