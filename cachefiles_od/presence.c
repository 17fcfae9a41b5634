// SPDX-License-Identifier: GPL-2.0-only
/*
 * The presence map of a blob: what the daemon has written and has reached the device. It is
 * updated in memory at once, on disk a little later.
 *
 * The map in memory determines what is served. The map on disk determines what is trusted after
 * a restart, and is never ahead of the data: a commit flushes the cache file to the device,
 * then writes a map of what was present before that.
 *
 *	fill:	    write data -> presence_filled() -> list of uncommitted cookies
 *	commit:	    snapshot of the map -> fsync(cache file) -> map file -> fsync
 *	withdraw:   the same, with the mark that the object is closed
 *	next fill:  a map without that mark comes first (presence_begin_fill())
 *
 * Commits run every commit_ms, after commit_mib of one blob, on sync(2), on fsync(2) of the
 * anonymous fd, on the command "commit", and on withdrawal.
 */
#include "internal.h"

#include <linux/jiffies.h>
#include <linux/mm.h>
#include <linux/pagemap.h>
#include <linux/slab.h>

/* Initial capacity of a presence map, in runs. */
#define FIRST_RUNS	4

/* --- in memory --- */

static int grow(struct cachefiles_od_cookie *cookie)
{
	size_t cap = READ_ONCE(cookie->present.cap);
	struct od_range *bigger, *old;

	/* Runs that cannot be committed would only take up memory. */
	if (cap >= OD_MAPFILE_RUNS_MAX)
		return -ENOMEM;
	cap = cap ? cap * 2 : FIRST_RUNS;
	bigger = kvmalloc_array(cap, sizeof(*bigger), GFP_KERNEL);
	if (!bigger)
		return -ENOMEM;
	spin_lock(&cookie->lock);
	old = bigger;
	if (cap > cookie->present.cap) {
		old = cookie->present.e;
		if (old)
			memcpy(bigger, old, cookie->present.nr * sizeof(*old));
		cookie->present.e = bigger;
		cookie->present.cap = cap;
	}
	spin_unlock(&cookie->lock);
	kvfree(old);
	return 0;
}

static int change(struct cachefiles_od_cookie *cookie,
		  int (*how)(struct od_extents *x, u64 start, u64 end), u64 start, u64 end)
{
	int err;

	for (;;) {
		spin_lock(&cookie->lock);
		err = how(&cookie->present, start, end);
		spin_unlock(&cookie->lock);
		if (err != -ENOSPC)
			return err;
		err = grow(cookie);
		if (err)
			return err;
	}
}

/* Marks a range present that needs no commit. Returns 0 or -ENOMEM. */
int cachefiles_od_presence_add(struct cachefiles_od_cookie *cookie, u64 start, u64 end)
{
	return change(cookie, od_extents_add, start, end);
}

/* The object is closed: nothing but /proc can see it any more. */
void cachefiles_od_presence_forget(struct cachefiles_od_cookie *cookie)
{
	struct od_range *runs;

	spin_lock(&cookie->lock);
	runs = cookie->present.e;
	memset(&cookie->present, 0, sizeof(cookie->present));
	cookie->uncommitted = 0;
	spin_unlock(&cookie->lock);
	kvfree(runs);
	cachefiles_od_unused_forget(cookie);
	mutex_lock(&cookie->commit_mutex);
	kfree(cookie->validator);
	cookie->validator = NULL;
	cookie->unversioned = true;
	cookie->map_seq = 0;
	cookie->map_closed = false;
	cookie->map_stale = false;
	cookie->map_used = 0;
	WRITE_ONCE(cookie->committed, 0);
	mutex_unlock(&cookie->commit_mutex);
}

/* --- what is to be committed --- */

/* The pending work holds the cache. An earlier expiry is kept; 0 is now. */
static void arm_commit(struct cachefiles_od_cache *cache, unsigned int ms)
{
	struct delayed_work *work = &cache->commit_work;
	bool was_pending;

	kref_get(&cache->ref);
	if (ms)
		was_pending = !queue_delayed_work(cachefiles_od_commit_wq, work,
						  msecs_to_jiffies(ms));
	else
		was_pending = mod_delayed_work(cachefiles_od_commit_wq, work, 0);
	if (was_pending)
		cachefiles_od_cache_put(cache);
}

/* Puts a cookie on the list, with a reference, and arms the commit. */
static void want_commit(struct cachefiles_od_cookie *cookie, unsigned int ms)
{
	struct cachefiles_od_cache *cache = cachefiles_od_cookie_cache(cookie);

	if (!cache->has_xattrs)
		return;
	spin_lock(&cache->commit_lock);
	if (list_empty(&cookie->commit_link)) {
		kref_get(&cookie->ref);
		list_add_tail(&cookie->commit_link, &cache->uncommitted);
	}
	spin_unlock(&cache->commit_lock);
	arm_commit(cache, ms);
}

/* The cookie is being closed, and its owner commits it. */
static void unwant_commit(struct cachefiles_od_cookie *cookie)
{
	struct cachefiles_od_cache *cache = cachefiles_od_cookie_cache(cookie);
	bool listed;

	spin_lock(&cache->commit_lock);
	listed = !list_empty(&cookie->commit_link);
	list_del_init(&cookie->commit_link);
	spin_unlock(&cache->commit_lock);
	if (listed)
		cachefiles_od_cookie_put(cookie);
}

static void count_uncommitted(struct cachefiles_od_cookie *cookie, u64 bytes)
{
	u64 limit = cachefiles_od_commit_bytes(), before, after;

	spin_lock(&cookie->lock);
	before = cookie->uncommitted;
	after = before + bytes;
	cookie->uncommitted = after;
	spin_unlock(&cookie->lock);
	if (before < limit && after >= limit)
		want_commit(cookie, 0);
	else if (!before)
		want_commit(cookie, cachefiles_od_commit_ms());
}

/* The daemon's data is in the cache file. Returns 0 or -ENOMEM. */
int cachefiles_od_presence_filled(struct cachefiles_od_cookie *cookie, u64 start, u64 end)
{
	int err = change(cookie, od_extents_add, start, end);

	if (!err)
		count_uncommitted(cookie, end - start);
	return err;
}

/* The cache file cannot return a range: it is absent from now on. */
int cachefiles_od_presence_drop(struct cachefiles_od_cookie *cookie, u64 start, u64 end)
{
	int err = change(cookie, od_extents_remove, start, end);

	if (!err)
		count_uncommitted(cookie, end - start);
	return err;
}

/* --- commits --- */

/* Copies the presence map, which has at most %OD_MAPFILE_RUNS_MAX runs; the caller frees it. */
static struct od_range *snapshot(struct cachefiles_od_cookie *cookie, u32 *nr, u64 *bytes,
				 u64 *uncommitted)
{
	struct od_range *runs = NULL;
	size_t room = 0;

	for (;;) {
		spin_lock(&cookie->lock);
		if (runs && cookie->present.nr <= room) {
			*nr = cookie->present.nr;
			*bytes = cookie->present.bytes;
			*uncommitted = cookie->uncommitted;
			cookie->uncommitted = 0;
			memcpy(runs, cookie->present.e, *nr * sizeof(*runs));
			spin_unlock(&cookie->lock);
			return runs;
		}
		room = cookie->present.nr + FIRST_RUNS;
		spin_unlock(&cookie->lock);
		kvfree(runs);
		runs = kvmalloc_array(room, sizeof(*runs), GFP_KERNEL);
		if (!runs)
			return ERR_PTR(-ENOMEM);
	}
}

/* Without a closing mark, only the data must be durable; with it, the file's times, too. */
static int flush_and_store(struct cachefiles_od_cookie *cookie, const struct od_range *runs,
			   u32 nr, bool closed)
{
	const struct cred *saved = override_creds(cachefiles_od_cookie_cache(cookie)->cred);
	int err;

	err = vfs_fsync(cookie->file, !closed) ?:
	      cachefiles_od_mapfile_store(cookie, runs, nr, closed);
	revert_creds(saved);
	return err;
}

/* The caller pins the cookie's file. */
static int commit_locked(struct cachefiles_od_cookie *cookie, bool closed)
{
	struct cachefiles_od_cache *cache = cachefiles_od_cookie_cache(cookie);
	struct od_range *runs;
	u64 bytes, uncommitted;
	u32 nr;
	int err;

	lockdep_assert_held(&cookie->commit_mutex);
	if (cachefiles_od_is_frozen(cache))
		return -EBUSY;
	runs = snapshot(cookie, &nr, &bytes, &uncommitted);
	if (IS_ERR(runs))
		return PTR_ERR(runs);
	err = flush_and_store(cookie, runs, nr, closed);
	kvfree(runs);
	cachefiles_od_trace_commit(cookie, bytes, err);
	if (!err) {
		WRITE_ONCE(cookie->committed, bytes);
		atomic64_inc(&cache->stats.commits);
		return 0;
	}
	spin_lock(&cookie->lock);
	cookie->uncommitted += uncommitted;
	spin_unlock(&cookie->lock);
	cookie->map_stale = true;
	pr_err_limited(cookie->volume,
		       "volume %s: blob %s: failed to commit the presence map: %d\n",
		       cookie->volume->key, cookie->name, err);
	return err;
}

static bool is_committed(struct cachefiles_od_cookie *cookie)
{
	return !READ_ONCE(cookie->uncommitted) && !cookie->map_stale;
}

/*
 * Commits what has been filled until now. The caller has an operation. While the object is
 * being opened, its file may still be replaced. Returns 0; -EBUSY if the file system is frozen;
 * or why it failed.
 */
int cachefiles_od_presence_commit(struct cachefiles_od_cookie *cookie)
{
	int err = 0;

	if (!cachefiles_od_cookie_cache(cookie)->has_xattrs)
		return -EOPNOTSUPP;
	mutex_lock(&cookie->commit_mutex);
	if (cookie->file && !is_committed(cookie))
		err = commit_locked(cookie, false);
	mutex_unlock(&cookie->commit_mutex);
	return err;
}

/*
 * Removes from the map on disk what the map in memory lacks, before the file loses it. A full
 * disk may lack space for a newer map, and punching is how it gets some; emptying the map needs
 * none. The caller has an operation, and the cache's credentials.
 */
int cachefiles_od_presence_retract(struct cachefiles_od_cookie *cookie)
{
	int err = cachefiles_od_presence_commit(cookie);

	/* Without map support, no map outlives the mount. */
	if (err == -EOPNOTSUPP)
		return 0;
	if (err != -ENOSPC && err != -EDQUOT)
		return err;
	mutex_lock(&cookie->commit_mutex);
	err = cachefiles_od_mapfile_empty(cookie);
	if (!err)
		WRITE_ONCE(cookie->committed, 0);
	mutex_unlock(&cookie->commit_mutex);
	/* Everything present is committed again once there is space. */
	want_commit(cookie, cachefiles_od_commit_ms());
	return err;
}

/*
 * Called before the cache file is written to: a map that describes the object as closed would
 * not be trusted after a crash, since the file's times change.
 */
int cachefiles_od_presence_begin_fill(struct cachefiles_od_cookie *cookie)
{
	int err = 0;

	if (!READ_ONCE(cookie->map_closed))
		return 0;
	mutex_lock(&cookie->commit_mutex);
	if (cookie->map_closed)
		err = commit_locked(cookie, false);
	mutex_unlock(&cookie->commit_mutex);
	return err;
}

/* The object is withdrawn, and nothing writes to its file any more. */
void cachefiles_od_presence_close(struct cachefiles_od_cookie *cookie)
{
	if (!cachefiles_od_cookie_cache(cookie)->has_xattrs)
		return;
	unwant_commit(cookie);
	if (!cookie->file)
		return;
	mutex_lock(&cookie->commit_mutex);
	/* A new object that was never written to needs no map. */
	if (!is_committed(cookie) || (cookie->map_seq && (!cookie->map_closed ||
							  cookie->used != cookie->map_used)))
		commit_locked(cookie, true);
	mutex_unlock(&cookie->commit_mutex);
}

static struct cachefiles_od_cookie *next_uncommitted(struct cachefiles_od_cache *cache,
						     struct list_head *todo)
{
	struct cachefiles_od_cookie *cookie;

	spin_lock(&cache->commit_lock);
	cookie = list_first_entry_or_null(todo, struct cachefiles_od_cookie, commit_link);
	if (cookie)
		list_del_init(&cookie->commit_link);
	spin_unlock(&cache->commit_lock);
	return cookie;
}

/*
 * Commits everything on the list now, after any commit already running. What cannot be
 * committed is retried later. The caller holds the cache.
 */
void cachefiles_od_presence_commit_all(struct cachefiles_od_cache *cache)
{
	struct cachefiles_od_cookie *cookie;
	LIST_HEAD(todo);

	mutex_lock(&cache->commits_mutex);
	spin_lock(&cache->commit_lock);
	list_splice_init(&cache->uncommitted, &todo);
	spin_unlock(&cache->commit_lock);
	while ((cookie = next_uncommitted(cache, &todo))) {
		/* A cookie being relinquished commits itself. */
		if (cachefiles_od_begin_operation(cookie)) {
			if (cachefiles_od_presence_commit(cookie))
				want_commit(cookie, max(cachefiles_od_commit_ms(), 1000U));
			cachefiles_od_end_operation(cookie);
		}
		cachefiles_od_cookie_put(cookie);
	}
	mutex_unlock(&cache->commits_mutex);
}

static void commit_work(struct work_struct *work)
{
	struct cachefiles_od_cache *cache =
		container_of(to_delayed_work(work), struct cachefiles_od_cache, commit_work);

	cachefiles_od_presence_commit_all(cache);
	cachefiles_od_cache_put(cache);
}

/* Nothing is in use any more, so nothing is left to commit. */
void cachefiles_od_presence_stop(struct cachefiles_od_cache *cache)
{
	if (cancel_delayed_work(&cache->commit_work))
		cachefiles_od_cache_put(cache);
}

/* The stored validator has changed: the map on disk must follow soon. */
void cachefiles_od_presence_changed(struct cachefiles_od_cookie *cookie)
{
	lockdep_assert_held(&cookie->commit_mutex);
	cookie->map_stale = true;
	want_commit(cookie, cachefiles_od_commit_ms());
}

void cachefiles_od_presence_init_cache(struct cachefiles_od_cache *cache)
{
	spin_lock_init(&cache->commit_lock);
	mutex_init(&cache->commits_mutex);
	INIT_LIST_HEAD(&cache->uncommitted);
	INIT_DELAYED_WORK(&cache->commit_work, commit_work);
}
