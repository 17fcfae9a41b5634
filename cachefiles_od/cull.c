// SPDX-License-Identifier: GPL-2.0-only
/*
 * Commands on one name in the cache: the daemon picks what to cull, the module knows what is in
 * use.
 */
#include "internal.h"

#include <linux/dcache.h>
#include <linux/mount.h>
#include <linux/namei.h>
#include <linux/slab.h>

#include "../compat/dirops.h"

/* Looks up a name in the caller's working directory, which must be in the cache. */
static int find_in_cwd(struct cachefiles_od_cache *cache, const char *name, struct path *victim)
{
	int err;

	if (!*name || strchr(name, '/') || strcmp(name, ".") == 0 || strcmp(name, "..") == 0)
		return -EINVAL;
	err = kern_path(name, 0, victim);
	if (err)
		return err == -ENOENT ? -ESTALE : err;
	if (victim->mnt->mnt_sb == cache->store.mnt->mnt_sb &&
	    victim->dentry != cache->store.dentry &&
	    is_subdir(victim->dentry, cache->store.dentry))
		return 0;
	path_put(victim);
	return -EINVAL;
}

static bool is_file_in(struct cachefiles_od_cookie *cookie, struct dentry *victim)
{
	bool hit;

	spin_lock(&cookie->lock);
	hit = cookie->file && is_subdir(file_dentry(cookie->file), victim);
	spin_unlock(&cookie->lock);
	return hit;
}

/* An open blob whose cache file is @victim, or is in that directory. */
static struct cachefiles_od_cookie *find_cookie_of(struct cachefiles_od_cache *cache,
					      struct dentry *victim)
{
	struct cachefiles_od_volume *volume;
	struct cachefiles_od_cookie *cookie;

	lockdep_assert_held(&cachefiles_od_mutex);
	list_for_each_entry(volume, &cache->volumes, link)
		list_for_each_entry(cookie, &volume->cookies, link)
			if (is_file_in(cookie, victim))
				return cookie;
	return NULL;
}

/* -EBUSY if a file or directory is in use, else 0. */
static int check_use(struct cachefiles_od_cache *cache, struct dentry *victim)
{
	int err;

	mutex_lock(&cachefiles_od_mutex);
	err = find_cookie_of(cache, victim) ? -EBUSY : 0;
	mutex_unlock(&cachefiles_od_mutex);
	return err;
}

static u64 bytes_on_disk(struct dentry *victim)
{
	return d_is_reg(victim) ? (u64)d_inode(victim)->i_blocks << 9 : 0;
}

static int remove(struct cachefiles_od_cache *cache, const struct path *victim)
{
	struct path dir = { .mnt = victim->mnt, .dentry = dget_parent(victim->dentry) };
	const struct cred *saved = override_creds(cache->cred);
	u64 bytes = bytes_on_disk(victim->dentry);
	int err;

	if (d_is_dir(victim->dentry))
		err = cachefiles_od_tree_bury(cache, &dir, victim->dentry);
	else
		err = cachefiles_od_tree_unlink(cache, &dir, victim->dentry);
	revert_creds(saved);
	cachefiles_od_trace_cull(cache, victim->dentry, bytes, err);
	dput(dir.dentry);
	if (!err) {
		atomic64_inc(&cache->stats.culled);
		cachefiles_od_room_freed(cache, bytes);
	}
	return err == -ENOENT ? -ESTALE : err;
}

/*
 * Removes a file, or moves a directory to the graveyard; -EBUSY if it is in use. A task that
 * opens a blob holds names_mutex until check_use() can see its file, so what is not in use
 * stays unused. cachefiles_od_mutex is not held during the removal, which may block on the
 * disk.
 */
static int cull(struct cachefiles_od_cache *cache, const struct path *victim)
{
	int err = cachefiles_od_wait_thawed(&cache->root) ?:
		  mutex_lock_killable(&cache->names_mutex);

	if (err)
		return err;
	err = check_use(cache, victim->dentry) ?: remove(cache, victim);
	mutex_unlock(&cache->names_mutex);
	return err;
}

/* --- blobs in use --- */

/* Requests removal of a blob after its last use. Returns -ESTALE if it is being closed. */
static int defer(struct cachefiles_od_cache *cache, struct dentry *victim)
{
	struct cachefiles_od_cookie *cookie;
	int err = -ESTALE;

	mutex_lock(&cachefiles_od_mutex);
	cookie = find_cookie_of(cache, victim);
	if (cookie) {
		spin_lock(&cookie->lock);
		if (!cookie->closing) {
			cookie->cull_deferred = true;
			err = 0;
		}
		spin_unlock(&cookie->lock);
	}
	mutex_unlock(&cachefiles_od_mutex);
	return err;
}

/* Returns 0 if removed, 1 if the removal is deferred, or an errno. */
static int cull_or_defer(struct cachefiles_od_cache *cache, const struct path *victim)
{
	int err;

	if (d_is_dir(victim->dentry))
		return -EISDIR;
	while ((err = cull(cache, victim)) == -EBUSY) {
		if (defer(cache, victim->dentry) == 0)
			return 1;
		/* Its last user is closing it. */
		err = cachefiles_od_wait_frozen();
		if (err)
			break;
	}
	return err;
}

/**
 * struct cachefiles_od_removal - a blob to remove after its last use
 * @work: removes it
 * @cookie: the blob, no longer in use; the removal holds it
 * @path: its cache file
 */
struct cachefiles_od_removal {
	struct work_struct work;
	struct cachefiles_od_cookie *cookie;
	struct path path;
};

/* Notifies a daemon that asked for events. */
static void announce(struct cachefiles_od_cookie *cookie, u64 bytes)
{
	struct cachefiles_od_request *req;
	int err;

	if (!READ_ONCE(cachefiles_od_cookie_queue(cookie)->events))
		return;
	req = cachefiles_od_request_alloc(cookie, CACHEFILES_OD_OP_CULLED, GFP_KERNEL);
	if (IS_ERR(req))
		return;
	req->range.end = bytes;
	spin_lock(&cookie->lock);
	err = cachefiles_od_request_enqueue(req);
	spin_unlock(&cookie->lock);
	if (err)
		cachefiles_od_request_discard(req);
}

/* If the blob has been opened again, waits for its next last user. */
static int run_removal(const struct cachefiles_od_removal *removal)
{
	struct cachefiles_od_cache *cache = cachefiles_od_cookie_cache(removal->cookie);

	if (cachefiles_od_is_frozen(cache))
		return -EBUSY;
	return cull_or_defer(cache, &removal->path);
}

static void removal_work(struct work_struct *work)
{
	struct cachefiles_od_removal *removal =
		container_of(work, struct cachefiles_od_removal, work);
	struct cachefiles_od_cookie *cookie = removal->cookie;
	u64 bytes = bytes_on_disk(removal->path.dentry);
	int err = run_removal(removal);

	path_put(&removal->path);
	kfree(removal);
	if (!err)
		announce(cookie, bytes);
	else if (err < 0 && err != -ESTALE)
		pr_warn_limited(cookie->volume,
				"volume %s: blob %s: deferred removal failed: %d\n",
				cookie->volume->key, cookie->name, err);
	cachefiles_od_cookie_put(cookie);
}

/*
 * The last user closes a blob: returns what to do once its file is closed, or NULL. Closing a
 * blob takes no contended locks, so the removal is a work item.
 */
struct cachefiles_od_removal *cachefiles_od_cull_at_end(struct cachefiles_od_cookie *cookie)
{
	struct cachefiles_od_removal *removal;
	bool wanted;

	spin_lock(&cookie->lock);
	cookie->closing = true;
	wanted = cookie->cull_deferred && cookie->file;
	spin_unlock(&cookie->lock);
	if (!wanted)
		return NULL;
	removal = kmalloc(sizeof(*removal), GFP_KERNEL);
	if (!removal) {
		pr_warn("volume %s: blob %s: deferred removal failed: %d\n",
			cookie->volume->key, cookie->name, -ENOMEM);
		return NULL;
	}
	INIT_WORK(&removal->work, removal_work);
	kref_get(&cookie->ref);
	removal->cookie = cookie;
	removal->path = cookie->file->f_path;
	path_get(&removal->path);
	return removal;
}

void cachefiles_od_cull_later(struct cachefiles_od_removal *removal)
{
	queue_work(cachefiles_od_wq, &removal->work);
}

/* --- commands --- */

/* The open blob whose cache file is @victim, with an operation, or NULL. */
static struct cachefiles_od_cookie *pin_cookie_of(struct cachefiles_od_cache *cache,
						  struct dentry *victim)
{
	struct cachefiles_od_cookie *cookie;

	mutex_lock(&cachefiles_od_mutex);
	cookie = find_cookie_of(cache, victim);
	if (cookie && !cachefiles_od_begin_operation(cookie))
		cookie = NULL;
	mutex_unlock(&cachefiles_od_mutex);
	return cookie;
}

/* Commits the presence map of an open blob; 0 if it is not open. */
static int commit(struct cachefiles_od_cache *cache, struct dentry *victim)
{
	struct cachefiles_od_cookie *cookie;
	int err;

	if (d_is_dir(victim))
		return -EISDIR;
	cookie = pin_cookie_of(cache, victim);
	if (!cookie)
		return 0;
	err = cachefiles_od_presence_commit(cookie);
	cachefiles_od_end_operation(cookie);
	return err;
}

/* The size and file of a blob are stable only once it was handed out. */
static int punch_open(struct cachefiles_od_cookie *cookie, const struct od_punch *punch)
{
	bool settled;

	spin_lock(&cookie->lock);
	settled = cookie->settled;
	spin_unlock(&cookie->lock);
	return settled ? cachefiles_od_punch(cookie, punch->start, punch->len) : -EBUSY;
}

/* Punches a range of an open blob; -ENOENT if it is not open. */
static int punch(struct cachefiles_od_cache *cache, char *arg)
{
	struct cachefiles_od_cookie *cookie;
	struct od_punch punch;
	struct path victim;
	int err = od_command_punch(arg, &punch) ?: find_in_cwd(cache, punch.name, &victim);

	if (err)
		return err;
	cookie = d_is_dir(victim.dentry) ? NULL : pin_cookie_of(cache, victim.dentry);
	path_put(&victim);
	if (!cookie)
		return -ENOENT;
	err = punch_open(cookie, &punch);
	cachefiles_od_end_operation(cookie);
	return err;
}

static int run_on(struct cachefiles_od_cache *cache, enum od_command_id id,
		  const struct path *victim)
{
	switch (id) {
	case OD_CMD_CULL:
		return cull(cache, victim);
	case OD_CMD_CULL_DEFERRED:
		return min(cull_or_defer(cache, victim), 0);
	case OD_CMD_INUSE:
		return check_use(cache, victim->dentry);
	case OD_CMD_COMMIT:
		return commit(cache, victim->dentry);
	default:
		return -EOPNOTSUPP;
	}
}

/* Runs "cull NAME" and the like; -EOPNOTSUPP for other commands. */
int cachefiles_od_name_command(struct cachefiles_od_cache *cache, const struct od_command *cmd)
{
	struct path victim;
	int err;

	switch (cmd->id) {
	case OD_CMD_PUNCH:
		return punch(cache, cmd->arg);
	case OD_CMD_CULL:
	case OD_CMD_CULL_DEFERRED:
	case OD_CMD_INUSE:
	case OD_CMD_COMMIT:
		break;
	default:
		return -EOPNOTSUPP;
	}
	err = find_in_cwd(cache, cmd->arg, &victim);
	if (err)
		return err;
	err = run_on(cache, cmd->id, &victim);
	path_put(&victim);
	return err;
}
