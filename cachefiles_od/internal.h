/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * What the files of cachefiles_od share.
 *
 * References: a request and an anonymous fd hold their cookie, a cookie holds
 * its volume, a volume holds the cache; the daemon holds the cache too.
 *
 * The files are declared below from the lowest to the highest, and no call goes up
 * (make lint). A piece that waits carries the function that goes on with it.
 *
 * Locks, outermost first (Documentation/locking.rst has the whole order):
 *   daemon->mutex           what a daemon has configured
 *   cache->names_mutex      which file or directory a name in the cache stands for
 *   cachefiles_od_mutex     the caches, their volumes, their cookies
 *   cache->commits_mutex    going through what is to be committed
 *   cookie->fill_sem        filling a blob, or giving a range of it back
 *   cookie->commit_mutex    the map file and the validator of a cookie
 *   cookie->lock            one blob: its state, requests, waiters, presence map
 *   queue lock              ids and what the daemon can fetch; request.c alone takes it
 *   deadlines->lock         when the next deadline is due; wait.c alone takes it
 *   cache->commit_lock      which cookies have something to commit
 *   cache->room_lock        what is known of the room
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
#include "requests.h"

struct cachefiles_od_daemon;
struct iov_iter;
struct poll_table_struct;
struct proc_dir_entry;
struct seq_file;

/**
 * struct cachefiles_od_counters - what happened since the cache was bound
 * @opens: OPEN messages delivered
 * @reads: READ messages delivered
 * @closes: CLOSE messages delivered
 * @filled: bytes written by the daemon
 * @failed: reads or parts of reads that failed
 * @commits: presence maps committed
 * @passed: bytes written by the daemon that went to readers and were not kept
 * @punched: bytes given back from blobs in use
 * @culled: blobs and directories removed
 * @widened: bytes that READs asked for beyond what was wanted
 */
struct cachefiles_od_counters {
	atomic64_t opens, reads, closes, filled, failed, commits;
	atomic64_t passed, punched, culled, widened;
};

/**
 * struct cachefiles_od_cache - a cache directory and all that goes through it
 * @ref: references
 * @link: in the list of caches, under cachefiles_od_mutex
 * @id: counts the caches; a newer one has a higher one
 * @device: number of the device that its last daemon used, under cachefiles_od_mutex
 * @dir: the directory as the daemon named it
 * @tag: the cache's name; a daemon that takes over may change it, under
 *	cachefiles_od_mutex
 * @root: the directory
 * @store: its "cache" directory
 * @graveyard: its "graveyard" directory
 * @maps: its "maps" directory
 * @cred: whose rights cache files are handled with
 * @blocks: limits of blocks, under @room_lock
 * @files: limits of files, under @room_lock
 * @room_lock: guards @room
 * @room: what is known of the room
 * @room_due: when it is to be looked up again, in jiffies
 * @block_size: bytes that the file system allocates at once
 * @has_xattrs: files can say what they are after a restart
 * @names_mutex: held from finding a blob's directories until its file is known
 *	to culling, so that nobody sees a directory half made or takes one away
 * @volumes: joined volumes, under cachefiles_od_mutex
 * @nr_buried: number for the next name in the graveyard
 * @queue: requests
 * @commit_lock: guards @uncommitted
 * @uncommitted: cookies with something to commit; each holds a reference
 * @commit_work: commits them
 * @commits_mutex: held while they are committed: who comes second, sync(2) for one,
 *	finds that done and not only begun
 * @use: what reads of its blobs came to
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
 * struct cachefiles_od_volume - a name space of blobs
 * @ref: references
 * @cache: where its directory lies
 * @link: in @cache's list
 * @cookies: open blobs, under cachefiles_od_mutex
 * @hash: hash of @key
 * @name: directory name; @key follows its first letter
 * @key: volume key
 */
struct cachefiles_od_volume {
	struct kref ref;
	struct cachefiles_od_cache *cache;
	struct list_head link;
	struct list_head cookies;
	u32 hash;
	const char *key;
	char name[NAME_MAX + 1];
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
 * @dio_align: alignment of direct I/O on @file, 0 where there is none
 * @nr_ops: operations, and one for the cookie's own life
 * @lock: guards what follows, unless it says otherwise
 * @file: cache file; set while the object is opened, and stays until the cookie
 *	is relinquished: an operation on an open object may use it without the lock.
 *	It goes under commit_mutex, too, so that a commit has it to its end
 * @buffered: the same file without O_DIRECT, opened when first needed
 * @size: bytes of the blob; stays once the cookie was handed out
 * @present: presence map
 * @state: how it stands with the daemon
 * @object_id: names the daemon's fd; 0 without one, and then it is not open
 * @open: the OPEN that is queued, sent or being completed; NULL for none
 * @first_open: the OPEN that the task that acquires the cookie waits for; that task's
 * @reads: READ requests under way, by their first byte; they do not overlap
 * @reopen: sends an OPEN when data is wanted while the daemon has no fd
 * @nr_reading: reads of the cache file under way, of two epochs
 * @reading_epoch: which of them new reads count in; changed under fill_sem, too
 * @settled: it was handed out: its file and size stay
 * @cull_deferred: the file is to be removed once it is not in use
 * @closing: too late to ask for that
 * @uncommitted: bytes filled since the last commit
 * @commit_link: in the cache's list, under its commit_lock
 * @use: what reads of it came to
 * @filled: bytes written by the daemon and kept
 * @sent: READs delivered to the daemon
 * @widened: bytes that these asked for beyond what was wanted
 * @used: when it was last opened or read, in seconds since 1970; any context
 * @region_shift: the parts of the blob that @region_used speaks of have 1 << this bytes
 * @region_used: when each part was last read, as @used, 0 for never; any context
 * @fill_sem: held for reading while the cache file is filled, for writing while a
 *	range of it is given back
 * @commit_mutex: guards what follows and the map file
 * @map_seq: sequence number of the newest map on disk, 0 for none
 * @map_runs_off: where its runs are
 * @map_nr_runs: how many
 * @map_closed: it says that the object was closed, or more than the file had when
 *	it was opened: before anything is written to the cache file, another map that
 *	does not say so must be on disk
 * @map_stale: it lacks more than @uncommitted tells
 * @map_used: the last use that it says
 * @committed: bytes that it says are present
 * @validator: version of the blob as the daemon named it, NULL for none
 * @unversioned: a daemon that named none may have filled some of it: what is on
 *	disk names none, and @validator holds only until the cookie is relinquished
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
	unsigned int dio_align;
	atomic_t nr_ops;

	spinlock_t lock;
	struct file *file;
	struct file *buffered;
	u64 size;
	struct od_extents present;
	enum od_obj_state state;
	u32 object_id;
	struct cachefiles_od_request *open;
	struct cachefiles_od_request *first_open;
	struct rb_root reads;
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
	u32 region_used[OD_REGIONS];
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

static inline u64 cachefiles_od_piece_start(const struct cachefiles_od_piece *piece)
{
	return piece->read->start + piece->from;
}

static inline struct cachefiles_od_request *cachefiles_od_read_of(struct rb_node *node)
{
	return rb_entry(node, struct cachefiles_od_request, node);
}

static inline struct cachefiles_od_piece *cachefiles_od_piece_of(struct rb_node *node)
{
	return rb_entry(node, struct cachefiles_od_piece, node);
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

/* Bytes that the cache file of a blob of this size has. */
static inline u64 cachefiles_od_file_length(u64 size)
{
	return round_up(size, (u64)CACHEFILES_OD_GRAIN);
}

/* refs.c */
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
int cachefiles_od_start_write(const struct cachefiles_od_cache *cache);
void cachefiles_od_end_write(const struct cachefiles_od_cache *cache);

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
 * struct cachefiles_od_place - directories that a cache file lies in
 * @volume: of its volume
 * @fanout: in @volume
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
int cachefiles_od_copy_out(const struct bio_vec *bvec, size_t skip, size_t len,
			   struct iov_iter *to);
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
 * struct cachefiles_od_config - what a daemon asks for before it goes live
 * @dir: cache directory
 * @tag: name, or NULL
 * @secctx: security context of cache files, or NULL
 * @blocks: limits of blocks
 * @files: limits of files
 * @wide: READs may be wider than what is wanted
 * @events: tell what was removed
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

/* stats.c */
void cachefiles_od_stats_key(struct seq_file *m, const u8 *key, size_t len);
void cachefiles_od_stats_string(struct seq_file *m, const char *s);
void cachefiles_od_stats_waiting(struct cachefiles_od_cookie *cookie, unsigned int *waiting,
				 unsigned int *oldest_ms);
bool cachefiles_od_stats_register_caches(struct proc_dir_entry *dir);
int cachefiles_od_stats_register(void);
void cachefiles_od_stats_unregister(void);

/* dev.c */
int cachefiles_od_dev_register(void);
void cachefiles_od_dev_unregister(void);

#endif /* CACHEFILES_OD_INTERNAL_H */
