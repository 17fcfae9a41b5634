/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Declarations shared by the files of cachefiles_od.
 *
 * References: a request and an anonymous fd hold their cookie, a cookie holds
 * its volume, a volume holds the cache; the daemon holds the cache too.
 *
 * The files are declared below from the lowest layer to the highest, and a file calls
 * only lower ones (checked by make lint). A waiting piece carries the function that
 * resumes it.
 *
 * Locks, outermost first (Documentation/locking.rst has the whole order):
 *   daemon->mutex           the configuration of a daemon
 *   cache->names_mutex      the file or directory that a name in the cache refers to
 *   cachefiles_od_mutex     the caches, their volumes, their cookies
 *   cache->commits_mutex    committing the cookies of a cache
 *   cookie->fill_sem        filling a blob, or punching a range of it
 *   cookie->commit_mutex    the map file and the validator of a cookie
 *   cookie->lock            one blob: its state, requests, waiters, presence map
 *   queue lock              IDs, requests that the daemon can fetch; only request.c takes it
 *   deadlines->lock         the next deadline; only wait.c takes it
 *   cache->commit_lock      the list of cookies to commit
 *   cache->room_lock        free space
 */
#ifndef CACHEFILES_OD_INTERNAL_H
#define CACHEFILES_OD_INTERNAL_H

#define pr_fmt(fmt) "cachefiles_od: " fmt

#include <linux/cred.h>
#include <linux/fs.h>
#include <linux/kref.h>
#include <linux/list.h>
#include <linux/mutex.h>
#include <linux/path.h>
#include <linux/proc_fs.h>
#include <linux/rbtree.h>
#include <linux/refcount.h>
#include <linux/rwsem.h>
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
#include "core/mapfile.h"
#include "core/message.h"
#include "core/object.h"
#include "core/request.h"
#include "core/room.h"
#include "log.h"
#include "requests.h"

struct cachefiles_od_daemon;
struct iov_iter;
struct poll_table_struct;
struct proc_dir_entry;
struct seq_file;

/**
 * struct cachefiles_od_counters - counters since the cache was bound
 * @opens: OPEN messages delivered
 * @reads: READ messages delivered
 * @closes: CLOSE messages delivered
 * @filled: bytes written by the daemon and kept
 * @failed: reads or parts of reads that failed
 * @commits: presence maps committed
 * @passed: bytes written by the daemon that were passed to readers and not kept
 * @punched: bytes freed from blobs in use
 * @culled: blobs and directories removed
 * @widened: bytes of READs beyond what readers wanted
 * @unused: bytes filled that no read has used
 */
struct cachefiles_od_counters {
	atomic64_t opens, reads, closes, filled, failed, commits;
	atomic64_t passed, punched, culled, widened, unused;
};

/**
 * struct cachefiles_od_cache - a cache directory
 * @ref: references
 * @link: in the list of caches, under cachefiles_od_mutex
 * @id: unique number, increasing
 * @device: device number of its last daemon, under cachefiles_od_mutex
 * @dir: path of the directory as given by the daemon
 * @tag: name of the cache; a daemon that takes over may change it, under
 *	cachefiles_od_mutex
 * @root: the directory
 * @store: its "cache" directory
 * @graveyard: its "graveyard" directory
 * @maps: its "maps" directory
 * @cred: credentials for access to cache files
 * @blocks: limits of blocks, under @room_lock
 * @files: limits of files, under @room_lock
 * @room_lock: guards @room
 * @room: free space, counted and estimated
 * @room_due: when to recount it, in jiffies
 * @block_size: allocation unit of the file system, in bytes
 * @has_xattrs: user xattrs work, so cache files can be identified after a restart
 * @names_mutex: held from the lookup of a blob's directories until culling knows its
 *	file: no task sees a half-created directory or removes one in use
 * @volumes: volumes that joined the cache, under cachefiles_od_mutex
 * @nr_buried: number for the next name in the graveyard
 * @queue: requests
 * @commit_lock: guards @uncommitted
 * @uncommitted: cookies with something to commit; each holds a reference
 * @commit_work: commits them
 * @commits_mutex: held while they are committed: a second caller, such as sync(2),
 *	returns only when that is done, not merely started
 * @use: hits, misses and errors of reads of its blobs
 * @stats: counters
 */
struct cachefiles_od_cache {
	struct kref ref;
	struct list_head link;
	unsigned int id;
	unsigned int device;
	char *dir;
	char *tag;
	struct path root, store, graveyard, maps;
	const struct cred *cred;
	struct od_limit blocks, files;
	spinlock_t room_lock;
	struct od_room_meter room;
	unsigned long room_due;
	unsigned int block_size;
	bool has_xattrs;
	struct mutex names_mutex;
	struct list_head volumes;
	atomic_t nr_buried;
	struct cachefiles_od_queue queue;
	spinlock_t commit_lock;
	struct list_head uncommitted;
	struct delayed_work commit_work;
	struct mutex commits_mutex;
	struct cachefiles_od_use use;
	struct cachefiles_od_counters stats;
};

/**
 * struct cachefiles_od_volume - a namespace of blobs
 * @ref: references
 * @cache: the cache that it joined
 * @link: in @cache's list
 * @node: in volume.c's table of all volumes, under cachefiles_od_mutex
 * @cookies: open blobs, under cachefiles_od_mutex
 * @hash: hash of @key
 * @log_limit: rate limit of log lines about it
 * @name: directory name: one letter, then the volume key
 * @key: volume key, in @name
 */
struct cachefiles_od_volume {
	struct kref ref;
	struct cachefiles_od_cache *cache;
	struct list_head link;
	struct hlist_node node;
	struct list_head cookies;
	u32 hash;
	struct ratelimit_state log_limit;
	const char *key;
	char name[NAME_MAX + 1];
};

/**
 * struct cachefiles_od_cookie - an open blob
 * @ref: references
 * @volume: namespace of its name
 * @link: in @volume's list
 * @node: in cookie.c's table of all cookies, under cachefiles_od_mutex
 * @key: name of the blob
 * @key_len: bytes in @key
 * @hash: hash of @key
 * @name: file name
 * @timeout_ms: time limit of this blob's waits, with defaults applied, 0 for none
 * @dio_align: alignment of direct I/O on @file, 0 if it is not supported
 * @nr_ops: operations in progress, plus one for the cookie itself
 * @lock: protects the following fields, except as noted
 * @file: cache file; set while the object is opened, and kept until the cookie is
 *	relinquished: an operation on an open object may use it without the lock.
 *	Also closed under commit_mutex, so a commit can use it until it is done
 * @buffered: the same file without O_DIRECT, opened when first needed
 * @size: bytes of the blob; constant once the cookie is handed out
 * @present: presence map
 * @unused: ranges of it that were filled and never read
 * @never_used: bytes that left @unused without having been read
 * @state: state of the object
 * @object_id: ID of the daemon's fd; 0 if it has none, and then the object is not open
 * @open: the OPEN that is queued, sent or being completed; NULL for none
 * @first_open: the OPEN that the task acquiring the cookie waits for; used by that task only
 * @reads: pending READs, by their first byte; they do not overlap
 * @reads_by_age: the same, oldest first
 * @nr_waiting: pieces that wait for them
 * @reopen: sends an OPEN when data is wanted while the daemon has no fd
 * @nr_reading: reads of the cache file in flight, one counter per epoch; plus one for the epoch of
 *	new reads, so that only the end of an earlier one wakes punch.c
 * @reading_epoch: the epoch of new reads; changed under fill_sem as well
 * @settled: the cookie was handed out: its file and size no longer change
 * @cull_deferred: remove the file once it is no longer in use
 * @closing: too late to set @cull_deferred
 * @uncommitted: bytes filled since the last commit
 * @commit_link: in the cache's list, under its commit_lock
 * @use: hits, misses and errors of its reads
 * @filled: bytes written by the daemon and kept
 * @sent: READs delivered to the daemon
 * @widened: bytes of these beyond what readers wanted
 * @used: time of the last open or read, in seconds since 1970; accessed in any context
 * @region_shift: log2 of the bytes in a region of @region_used
 * @nr_regions: number of regions, %OD_REGIONS at most
 * @region_used: time of the last read of each region, as @used, 0 for never; any context
 * @fill_sem: held for reading while the cache file is filled, for writing while a
 *	range of it is punched
 * @commit_mutex: protects the following fields and the map file
 * @map_seq: sequence number of the newest map on disk, 0 for none
 * @map_runs_off: offset of its runs
 * @map_nr_runs: number of its runs
 * @map_closed: the map on disk is marked closed, or lists more than the file had when it
 *	was opened: a map that is not closed must be on disk before the file is written to
 * @map_stale: the map on disk lacks more than @uncommitted bytes
 * @map_used: time of the last use recorded in it
 * @committed: bytes that it lists as present
 * @validator: version of the blob as given by the daemon, NULL for none
 * @unversioned: a daemon that gave no version may have filled some of the blob: the map on
 *	disk has none, and @validator is valid only until the cookie is relinquished
 */
struct cachefiles_od_cookie {
	struct kref ref;
	struct cachefiles_od_volume *volume;
	struct list_head link;
	struct hlist_node node;
	u8 *key;
	u32 key_len;
	u32 hash;
	char *name;
	unsigned int timeout_ms;
	unsigned int dio_align;
	atomic_t nr_ops;

	spinlock_t lock;
	struct file *file;
	struct file *buffered;
	u64 size;
	struct od_extents present;
	struct od_extents unused;
	u64 never_used;
	enum od_obj_state state;
	u32 object_id;
	struct cachefiles_od_request *open;
	struct cachefiles_od_request *first_open;
	struct rb_root reads;
	struct list_head reads_by_age;
	unsigned int nr_waiting;
	struct work_struct reopen;
	atomic_t nr_reading[2];
	u8 reading_epoch;
	bool settled;
	bool cull_deferred;
	bool closing;
	u64 uncommitted;
	struct list_head commit_link;

	struct cachefiles_od_use use;
	atomic64_t filled, sent, widened;

	u64 used;
	unsigned int region_shift;
	unsigned int nr_regions;
	u32 *region_used;
	struct rw_semaphore fill_sem;

	struct mutex commit_mutex;
	u64 map_seq;
	u64 map_runs_off;
	u32 map_nr_runs;
	bool map_closed;
	bool map_stale;
	u64 map_used;
	u64 committed;
	char *validator;
	bool unversioned;
};

static inline struct cachefiles_od_cache *
cachefiles_od_cookie_cache(const struct cachefiles_od_cookie *cookie)
{
	return cookie->volume->cache;
}

static inline struct cachefiles_od_queue *
cachefiles_od_cookie_queue(const struct cachefiles_od_cookie *cookie)
{
	return &cachefiles_od_cookie_cache(cookie)->queue;
}

/* Length of the cache file of a blob of this size. */
static inline u64 cachefiles_od_file_length(u64 size)
{
	return round_up(size, (u64)CACHEFILES_OD_GRAIN);
}

/* refs.c */
int cachefiles_od_refs_init(void);
void cachefiles_od_refs_exit(void);
struct cachefiles_od_cookie *cachefiles_od_cookie_new(void);
void cachefiles_od_cache_put(struct cachefiles_od_cache *cache);
void cachefiles_od_volume_put(struct cachefiles_od_volume *volume);
void cachefiles_od_cookie_put(struct cachefiles_od_cookie *cookie);

/* params.c */
extern struct workqueue_struct *cachefiles_od_wq;
extern struct workqueue_struct *cachefiles_od_deadline_wq;
extern struct workqueue_struct *cachefiles_od_commit_wq;
extern struct workqueue_struct *cachefiles_od_map_wq;
int cachefiles_od_params_init(void);
void cachefiles_od_params_exit(void);
unsigned int cachefiles_od_timeout_ms(unsigned int timeout_ms);
unsigned long cachefiles_od_deadline(unsigned int timeout_ms);
u64 cachefiles_od_window(void);
unsigned int cachefiles_od_commit_ms(void);
u64 cachefiles_od_commit_bytes(void);

/* freeze.c */
bool cachefiles_od_is_frozen(const struct cachefiles_od_cache *cache);
int cachefiles_od_wait_frozen(void);
int cachefiles_od_wait_thawed(const struct path *path);
int cachefiles_od_begin_fill(struct cachefiles_od_cookie *cookie);
bool cachefiles_od_try_begin_fill(struct cachefiles_od_cookie *cookie);
void cachefiles_od_end_fill(struct cachefiles_od_cookie *cookie);

/* fscheck.c */
int cachefiles_od_check_fs(const struct cachefiles_od_cache *cache);
int cachefiles_od_check_file(const struct cachefiles_od_cache *cache, const struct file *file);

/* trace.c */
void cachefiles_od_trace_sent(const struct cachefiles_od_request *req);
void cachefiles_od_trace_ended(const struct cachefiles_od_request *req, int error);
void cachefiles_od_trace_commit(const struct cachefiles_od_cookie *cookie, u64 bytes, int error);
void cachefiles_od_trace_cull(const struct cachefiles_od_cache *cache, struct dentry *victim,
			      u64 bytes, int error);

/* use.c */
void cachefiles_od_use_note(struct cachefiles_od_cookie *cookie, u64 start, u64 len);
void cachefiles_od_use_piece(const struct cachefiles_od_piece *piece, int error);
void cachefiles_od_use_failed_open(struct cachefiles_od_cookie *cookie, int error);
unsigned int cachefiles_od_use_timeouts(const struct cachefiles_od_use *use);
void cachefiles_od_use_show_errors(struct seq_file *m, const struct cachefiles_od_use *use);
void cachefiles_od_use_show_waits(struct seq_file *m, const struct cachefiles_od_use *use);

/* room.c */
enum od_room cachefiles_od_room(struct cachefiles_od_cache *cache);
bool cachefiles_od_room_culling(struct cachefiles_od_cache *cache);
void cachefiles_od_room_freed(struct cachefiles_od_cache *cache, u64 freed);
bool cachefiles_od_room_claim(struct cachefiles_od_cache *cache, u64 bytes);
void cachefiles_od_room_settle(struct cachefiles_od_cache *cache, u64 bytes, u64 stored);
bool cachefiles_od_room_refused(struct cachefiles_od_cache *cache, long err);
void cachefiles_od_room_set_limits(struct cachefiles_od_cache *cache, const struct od_limit *blocks,
				   const struct od_limit *files);

/* mapfile.c */
int cachefiles_od_mapfile_load(struct cachefiles_od_cookie *cookie, struct file *file,
			       u64 size, struct od_extents *runs);
int cachefiles_od_mapfile_store(struct cachefiles_od_cookie *cookie, const struct od_range *runs,
				u32 nr_runs, bool closed);
int cachefiles_od_mapfile_empty(struct cachefiles_od_cookie *cookie);
int cachefiles_od_mapfile_remove(struct cachefiles_od_cache *cache, const struct path *file);

/* unused.c */
void cachefiles_od_unused_filled(struct cachefiles_od_cookie *cookie, u64 start, u64 end);
bool cachefiles_od_unused_has(const struct cachefiles_od_cookie *cookie, u64 start, u64 end);
void cachefiles_od_unused_read(struct cachefiles_od_cookie *cookie, u64 start, u64 end);
void cachefiles_od_unused_dropped(struct cachefiles_od_cookie *cookie, u64 start, u64 end);
void cachefiles_od_unused_forget(struct cachefiles_od_cookie *cookie);

/* presence.c */
void cachefiles_od_presence_init_cache(struct cachefiles_od_cache *cache);
int cachefiles_od_presence_add(struct cachefiles_od_cookie *cookie, u64 start, u64 end);
int cachefiles_od_presence_filled(struct cachefiles_od_cookie *cookie, u64 start, u64 end);
int cachefiles_od_presence_drop(struct cachefiles_od_cookie *cookie, u64 start, u64 end);
int cachefiles_od_presence_begin_fill(struct cachefiles_od_cookie *cookie);
int cachefiles_od_presence_commit(struct cachefiles_od_cookie *cookie);
int cachefiles_od_presence_retract(struct cachefiles_od_cookie *cookie);
void cachefiles_od_presence_close(struct cachefiles_od_cookie *cookie);
void cachefiles_od_presence_commit_all(struct cachefiles_od_cache *cache);
void cachefiles_od_presence_changed(struct cachefiles_od_cookie *cookie);
void cachefiles_od_presence_stop(struct cachefiles_od_cache *cache);
void cachefiles_od_presence_forget(struct cachefiles_od_cookie *cookie);

/* tree.c */
/**
 * struct cachefiles_od_place - directories of a cache file
 * @volume: the directory of its volume
 * @fanout: the directory in @volume that the file is in
 */
struct cachefiles_od_place {
	struct path volume, fanout;
};

int cachefiles_od_tree_get_mark(struct dentry *dentry, void *value, size_t len);
int cachefiles_od_tree_set_mark(const struct path *path, const void *value, size_t len);
int cachefiles_od_tree_bury(struct cachefiles_od_cache *cache, const struct path *dir,
			    struct dentry *victim);
int cachefiles_od_tree_unlink(struct cachefiles_od_cache *cache, const struct path *dir,
			      struct dentry *victim);
int cachefiles_od_tree_enter(struct cachefiles_od_cookie *cookie, bool make,
			     struct cachefiles_od_place *place);
void cachefiles_od_tree_leave(struct cachefiles_od_place *place);

/* file.c */
struct file *cachefiles_od_file_open(struct cachefiles_od_cookie *cookie, const struct path *dir,
				     int flags);
void cachefiles_od_file_close(struct file *file);
struct file *cachefiles_od_file_buffered(struct cachefiles_od_cookie *cookie);
bool cachefiles_od_file_is_valid(struct file *file, u64 *size);
int cachefiles_od_file_set_mark(struct cachefiles_od_cookie *cookie);

/* probe.c */
int cachefiles_od_probe(struct cachefiles_od_cache *cache);

/* backing.c */
int cachefiles_od_backing_find(struct cachefiles_od_cookie *cookie);
int cachefiles_od_backing_settle(struct cachefiles_od_cookie *cookie, u64 size,
				 const char *validator, bool first);
void cachefiles_od_backing_close(struct cachefiles_od_cookie *cookie);

/* bounce.c */
int cachefiles_od_copy_bytes(const struct cachefiles_od_bytes *bytes,
			     const struct cachefiles_od_piece *piece);
int cachefiles_od_bounce_read(struct cachefiles_od_cookie *cookie, u64 from, size_t len,
			      struct iov_iter *to, ssize_t *ret);

/* fillbuf.c */
void cachefiles_od_fillbuf_exit(void);

/* fd.c */
struct file *cachefiles_od_fd_create(struct cachefiles_od_cookie *cookie, u32 object_id);

/* cache.c */
extern struct mutex cachefiles_od_mutex;
extern struct list_head cachefiles_od_caches;

/**
 * struct cachefiles_od_config - settings of a daemon before bind
 * @dir: cache directory
 * @tag: name, or NULL
 * @secctx: security context of cache files, or NULL
 * @blocks: limits of blocks
 * @files: limits of files
 * @wide: the daemon accepts READs wider than what readers want
 * @events: the daemon accepts messages about removed blobs
 */
struct cachefiles_od_config {
	char *dir;
	char *tag;
	char *secctx;
	struct od_limit blocks, files;
	bool wide;
	bool events;
};

struct cachefiles_od_cache *cachefiles_od_cache_bind(const struct cachefiles_od_config *config,
						     unsigned int device);
struct cachefiles_od_cache *cachefiles_od_cache_find(const char *tag);
struct cachefiles_od_cache *cachefiles_od_cache_get_after(unsigned int id);
void cachefiles_od_cache_unbind(struct cachefiles_od_cache *cache);
void cachefiles_od_cache_release_if_idle(struct cachefiles_od_cache *cache);

/* punch.c */
int cachefiles_od_punch(struct cachefiles_od_cookie *cookie, u64 start, u64 len);

/* cull.c */
struct cachefiles_od_removal;
struct cachefiles_od_removal *cachefiles_od_cull_at_end(struct cachefiles_od_cookie *cookie);
void cachefiles_od_cull_later(struct cachefiles_od_removal *removal);
int cachefiles_od_name_command(struct cachefiles_od_cache *cache, const struct od_command *cmd);

/* sync.c */
int cachefiles_od_sync_register(void);
void cachefiles_od_sync_unregister(void);

/* control.c */
extern const struct proc_ops cachefiles_od_control_ops;

/* dev.c */
int cachefiles_od_dev_register(void);
void cachefiles_od_dev_unregister(void);

#endif /* CACHEFILES_OD_INTERNAL_H */
