// SPDX-License-Identifier: GPL-2.0-only
/*
 * Commands about one name in the cache: the daemon picks what to throw out, the
 * module knows what is in use.
 */
#include "internal.h"

#include <linux/dcache.h>
#include <linux/mount.h>
#include <linux/namei.h>

#include "../compat/dirops.h"

/* A name in the caller's working directory, which must lie in the cache. */
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

/* An open blob whose file this is, or is in this directory. */
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

/* -EBUSY when a file or directory is in use, 0 when it is not. */
static int check_use(struct cachefiles_od_cache *cache, struct dentry *victim)
{
	int err;

	mutex_lock(&cachefiles_od_mutex);
	err = find_cookie_of(cache, victim) ? -EBUSY : 0;
	mutex_unlock(&cachefiles_od_mutex);
	return err;
}

static int remove(struct cachefiles_od_cache *cache, const struct path *victim)
{
	struct path dir = { .mnt = victim->mnt, .dentry = dget_parent(victim->dentry) };
	const struct cred *saved = override_creds(cache->cred);
	int err;

	if (d_is_dir(victim->dentry))
		err = cachefiles_od_tree_bury(cache, &dir, victim->dentry);
	else
		err = cachefiles_od_tree_unlink(cache, &dir, victim->dentry);
	revert_creds(saved);
	dput(dir.dentry);
	return err == -ENOENT ? -ESTALE : err;
}

/*
 * Throws out a file, or a directory into the graveyard; -EBUSY when it is in use.
 * The task that opens a blob holds names_mutex until check_use() knows its file,
 * so that what is not in use stays so. cachefiles_od_mutex is not held over the
 * removal, which may wait for a disk.
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

/* Commits the presence map of an open blob; 0 for one that is not open. */
static int commit(struct cachefiles_od_cache *cache, struct dentry *victim)
{
	struct cachefiles_od_cookie *cookie;
	int err = 0;

	if (d_is_dir(victim))
		return -EISDIR;
	mutex_lock(&cachefiles_od_mutex);
	cookie = find_cookie_of(cache, victim);
	if (cookie && !cachefiles_od_begin_operation(cookie))
		cookie = NULL;
	mutex_unlock(&cachefiles_od_mutex);
	if (cookie) {
		err = cachefiles_od_presence_commit(cookie);
		cachefiles_od_end_operation(cookie);
	}
	return err;
}

/* "cull NAME", "inuse NAME", "commit NAME"; -EOPNOTSUPP for any other command. */
int cachefiles_od_name_command(struct cachefiles_od_cache *cache, const struct od_command *cmd)
{
	struct path victim;
	int err;

	if (cmd->id != OD_CMD_CULL && cmd->id != OD_CMD_INUSE && cmd->id != OD_CMD_COMMIT)
		return -EOPNOTSUPP;
	err = find_in_cwd(cache, cmd->arg, &victim);
	if (err)
		return err;
	if (cmd->id == OD_CMD_CULL)
		err = cull(cache, &victim);
	else if (cmd->id == OD_CMD_INUSE)
		err = check_use(cache, victim.dentry);
	else
		err = commit(cache, victim.dentry);
	path_put(&victim);
	return err;
}
