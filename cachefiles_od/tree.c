// SPDX-License-Identifier: GPL-2.0-only
/*
 * The directories of the cache, volume/fan-out/file, and the xattr that marks their entries.
 * Everything that is unlinked or moved away goes through here.
 */
#include "internal.h"

#include <linux/mount.h>
#include <linux/namei.h>
#include <linux/xattr.h>

#include "../compat/dirops.h"

#define XATTR_NAME		XATTR_USER_PREFIX "CacheFiles.cache"

/* The xattr of a volume directory: four zero bytes, and no coherency data. */
#define VOLUME_XATTR_LEN	4

/* Pass a buffer one byte longer, to detect a mark that is too long. */
int cachefiles_od_tree_get_mark(struct dentry *dentry, void *value, size_t len)
{
	return vfs_getxattr(&nop_mnt_idmap, dentry, XATTR_NAME, value, len);
}

int cachefiles_od_tree_set_mark(const struct path *path, const void *value, size_t len)
{
	int err = mnt_want_write(path->mnt);

	if (err)
		return err;
	err = vfs_setxattr(&nop_mnt_idmap, path->dentry, XATTR_NAME, value, len, 0);
	mnt_drop_write(path->mnt);
	return err;
}

/* Moves what cannot be deleted at once to the graveyard, which the daemon empties. */
int cachefiles_od_tree_bury(struct cachefiles_od_cache *cache, const struct path *dir,
			    struct dentry *victim)
{
	char name[24];
	int err, tries;

	for (tries = 0; tries < 100; tries++) {
		snprintf(name, sizeof(name), "%08x%08x", (u32)ktime_get_real_seconds(),
			 (u32)atomic_inc_return(&cache->nr_buried));
		err = od_compat_move(dir, victim, &cache->graveyard, name);
		if (err != -EEXIST)
			return err;
	}
	return err;
}

/* Unlinks a cache file after its map, which is meaningless without the file. */
int cachefiles_od_tree_unlink(struct cachefiles_od_cache *cache, const struct path *dir,
			      struct dentry *victim)
{
	const struct path path = { .mnt = dir->mnt, .dentry = victim };
	int err = 0;

	if (d_is_reg(victim))
		err = cachefiles_od_mapfile_remove(cache, &path);
	return err ?: od_compat_unlink(dir, victim);
}

static bool volume_is_valid(struct cachefiles_od_cache *cache, const struct path *dir)
{
	static const u8 expected[VOLUME_XATTR_LEN];
	u8 found[VOLUME_XATTR_LEN + 1];

	if (!cache->has_xattrs)
		return true;
	return cachefiles_od_tree_get_mark(dir->dentry, found, sizeof(found)) == VOLUME_XATTR_LEN &&
	       memcmp(found, expected, VOLUME_XATTR_LEN) == 0;
}

static int make_volume(struct cachefiles_od_cache *cache, const char *name, struct path *dir)
{
	static const u8 fresh[VOLUME_XATTR_LEN];
	int err = od_compat_mkdir(&cache->store, name, 0700, dir);

	if (err || !cache->has_xattrs)
		return err;
	err = cachefiles_od_tree_set_mark(dir, fresh, sizeof(fresh));
	if (err)
		path_put(dir);
	return err;
}

/* Finds a volume's directory; an invalid one is moved away. */
static int find_volume(struct cachefiles_od_cache *cache, const char *name, struct path *dir)
{
	int err = od_compat_lookup(&cache->store, name, dir);

	if (err)
		return err;
	if (d_is_dir(dir->dentry) && volume_is_valid(cache, dir))
		return 0;
	pr_warn("volume %s: discarding stale directory\n", name);
	err = cachefiles_od_tree_bury(cache, &cache->store, dir->dentry);
	path_put(dir);
	return err ?: -ENOENT;
}

/* Finds a cookie's directories, or creates them if @make; otherwise -ENOENT if missing. */
int cachefiles_od_tree_enter(struct cachefiles_od_cookie *cookie, bool make,
		       struct cachefiles_od_place *place)
{
	struct cachefiles_od_cache *cache = cachefiles_od_cookie_cache(cookie);
	char fanout[OD_FANOUT_LEN + 1];
	int err;

	lockdep_assert_held(&cache->names_mutex);
	od_key_fanout_name(cookie->hash, fanout);
	err = find_volume(cache, cookie->volume->name, &place->volume);
	if (err == -ENOENT && make)
		err = make_volume(cache, cookie->volume->name, &place->volume);
	if (err)
		return err;
	err = make ? od_compat_mkdir(&place->volume, fanout, 0700, &place->fanout) :
		     od_compat_lookup(&place->volume, fanout, &place->fanout);
	if (err)
		path_put(&place->volume);
	return err;
}

void cachefiles_od_tree_leave(struct cachefiles_od_place *place)
{
	path_put(&place->fanout);
	path_put(&place->volume);
}
