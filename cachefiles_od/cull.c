// SPDX-License-Identifier: GPL-2.0-only
/* Culling: the daemon picks what to throw out, the module knows what is in use. */
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

/* Is an open blob this file, or in this folder? */
static bool is_in_use(struct cachefiles_od_cache *cache, struct dentry *victim)
{
	struct cachefiles_od_volume *volume;
	struct cachefiles_od_cookie *cookie;

	lockdep_assert_held(&cachefiles_od_mutex);
	list_for_each_entry(volume, &cache->volumes, link)
		list_for_each_entry(cookie, &volume->cookies, link) {
			bool hit;

			spin_lock(&cookie->lock);
			hit = cookie->file && is_subdir(file_dentry(cookie->file), victim);
			spin_unlock(&cookie->lock);
			if (hit)
				return true;
		}
	return false;
}

static int remove(struct cachefiles_od_cache *cache, const struct path *victim)
{
	struct path dir = { .mnt = victim->mnt, .dentry = dget_parent(victim->dentry) };
	const struct cred *saved = override_creds(cache->cred);
	int err;

	if (d_is_dir(victim->dentry))
		err = cachefiles_od_backing_bury(cache, &dir, victim->dentry);
	else
		err = od_compat_unlink(&dir, victim->dentry);
	revert_creds(saved);
	dput(dir.dentry);
	return err == -ENOENT ? -ESTALE : err;
}

/* Throws out a file, or a folder into the graveyard; -EBUSY when it is in use. */
int cachefiles_od_cull(struct cachefiles_od_cache *cache, const char *name)
{
	struct path victim;
	int err = find_in_cwd(cache, name, &victim);

	if (err)
		return err;
	mutex_lock(&cachefiles_od_mutex);
	mutex_lock(&cache->names_mutex);
	err = is_in_use(cache, victim.dentry) ? -EBUSY : remove(cache, &victim);
	mutex_unlock(&cache->names_mutex);
	mutex_unlock(&cachefiles_od_mutex);
	path_put(&victim);
	return err;
}

/* -EBUSY when a file or folder is in use, 0 when it is not. */
int cachefiles_od_inuse(struct cachefiles_od_cache *cache, const char *name)
{
	struct path victim;
	int err = find_in_cwd(cache, name, &victim);

	if (err)
		return err;
	mutex_lock(&cachefiles_od_mutex);
	err = is_in_use(cache, victim.dentry) ? -EBUSY : 0;
	mutex_unlock(&cachefiles_od_mutex);
	path_put(&victim);
	return err;
}
