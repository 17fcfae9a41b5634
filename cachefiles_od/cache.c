// SPDX-License-Identifier: GPL-2.0-only
/*
 * The cache: the directory that a daemon binds, and its life.
 *
 * A cache outlives its daemon for as long as a volume uses it, so that what is
 * present goes on being served; the next daemon that binds the same directory
 * takes it over.
 */
#include "internal.h"

#include <linux/mount.h>
#include <linux/namei.h>
#include <linux/slab.h>
#include <linux/statfs.h>

#include "../compat/dirops.h"
#include "../compat/security.h"

#define CACHEFILES_OD_TAG_DEFAULT	"CacheFiles"

DEFINE_MUTEX(cachefiles_od_mutex);

/* The cache that volumes join, or NULL; under cachefiles_od_mutex. */
struct cachefiles_od_cache *cachefiles_od_bound;

static const struct cred *cachefiles_od_make_cred(const char *secctx)
{
	struct cred *cred = prepare_kernel_cred(current);
	int err;

	if (!cred)
		return ERR_PTR(-ENOMEM);
	if (!secctx)
		return cred;
	err = od_compat_act_as(cred, secctx);
	if (err) {
		pr_err("secctx %s: not accepted: %d\n", secctx, err);
		put_cred(cred);
		return ERR_PTR(err);
	}
	return cred;
}

static int cachefiles_od_cache_open_dirs(struct cachefiles_od_cache *cache)
{
	const struct cred *saved = override_creds(cache->cred);
	int err;

	err = od_compat_mkdir(&cache->root, "cache", 0700, &cache->store);
	if (!err)
		err = od_compat_mkdir(&cache->root, "graveyard", 0700, &cache->graveyard);
	if (!err)
		err = od_compat_mkdir(&cache->root, "maps", 0700, &cache->maps);
	if (err)
		pr_err("dir %s: failed to create its directories: %d\n", cache->dir, err);
	else
		err = cachefiles_od_probe(cache);
	revert_creds(saved);
	return err;
}

static int cachefiles_od_cache_setup(struct cachefiles_od_cache *cache,
				     const struct cachefiles_od_config *config)
{
	const struct cred *cred;
	int err;

	cache->dir = kstrdup(config->dir, GFP_KERNEL);
	cache->tag = kstrdup(config->tag ?: CACHEFILES_OD_TAG_DEFAULT, GFP_KERNEL);
	if (!cache->dir || !cache->tag)
		return -ENOMEM;
	cred = cachefiles_od_make_cred(config->secctx);
	if (IS_ERR(cred))
		return PTR_ERR(cred);
	cache->cred = cred;
	cache->blocks = config->blocks;
	cache->files = config->files;
	cache->queue.wide = config->wide;
	err = cachefiles_od_check_fs(cache);
	return err ?: cachefiles_od_cache_open_dirs(cache);
}

/* A new cache in a directory; takes over the path. */
static struct cachefiles_od_cache *
cachefiles_od_cache_create(const struct cachefiles_od_config *config, const struct path *root)
{
	struct cachefiles_od_cache *cache = kzalloc(sizeof(*cache), GFP_KERNEL);
	int err;

	if (!cache) {
		path_put(root);
		return ERR_PTR(-ENOMEM);
	}
	kref_init(&cache->ref);
	mutex_init(&cache->names_mutex);
	INIT_LIST_HEAD(&cache->volumes);
	cachefiles_od_request_init_queue(&cache->queue);
	cachefiles_od_wait_init(&cache->queue);
	cachefiles_od_presence_init_cache(cache);
	cache->root = *root;
	err = cachefiles_od_cache_setup(cache, config);
	if (err) {
		cachefiles_od_cache_put(cache);
		return ERR_PTR(err);
	}
	return cache;
}

static int cachefiles_od_check_config(const struct cachefiles_od_config *config)
{
	int err = od_limit_check(&config->blocks) ?: od_limit_check(&config->files);

	if (err)
		pr_err("bind: limits must be in the order stop < cull < run < 100%%\n");
	return err;
}

/*
 * Binds a directory; the result carries a reference for the daemon. A cache that
 * has lost its daemon is taken over with all that is open in it.
 */
struct cachefiles_od_cache *cachefiles_od_cache_bind(const struct cachefiles_od_config *config)
{
	struct cachefiles_od_cache *cache;
	struct path root;
	int err = cachefiles_od_check_config(config);

	if (err)
		return ERR_PTR(err);
	err = kern_path(config->dir, LOOKUP_FOLLOW | LOOKUP_DIRECTORY, &root);
	if (err) {
		pr_err("dir %s: failed to look up: %d\n", config->dir, err);
		return ERR_PTR(err);
	}
	/* A new cache makes its directories under the mutex that all others need. */
	err = READ_ONCE(cachefiles_od_bound) ? 0 : cachefiles_od_wait_thawed(&root);
	if (err) {
		path_put(&root);
		return ERR_PTR(err);
	}

	mutex_lock(&cachefiles_od_mutex);
	cache = cachefiles_od_bound;
	if (!cache) {
		cache = cachefiles_od_cache_create(config, &root);
		if (!IS_ERR(cache))
			cachefiles_od_bound = cache;
	} else if (cache->root.dentry == root.dentry) {
		path_put(&root);
		cache->blocks = config->blocks;
		cache->files = config->files;
		WRITE_ONCE(cache->queue.wide, config->wide);
		kref_get(&cache->ref);
		pr_info("dir %s: a new daemon takes over\n", cache->dir);
	} else {
		path_put(&root);
		pr_err("dir %s: mounts still use the cache in %s\n", config->dir, cache->dir);
		cache = ERR_PTR(-EBUSY);
	}
	if (!IS_ERR(cache))
		cachefiles_od_queue_start(&cache->queue);
	mutex_unlock(&cachefiles_od_mutex);
	return cache;
}

/* Unbinds a cache that neither a daemon nor a volume uses any more. */
void cachefiles_od_cache_release_if_idle(struct cachefiles_od_cache *cache)
{
	lockdep_assert_held(&cachefiles_od_mutex);
	if (cachefiles_od_bound == cache && list_empty(&cache->volumes) &&
	    !READ_ONCE(cache->queue.live)) {
		cachefiles_od_bound = NULL;
		cachefiles_od_presence_stop(cache);
	}
}

/* The bound cache with a reference, or NULL. */
struct cachefiles_od_cache *cachefiles_od_cache_get_bound(void)
{
	struct cachefiles_od_cache *cache;

	mutex_lock(&cachefiles_od_mutex);
	cache = cachefiles_od_bound;
	if (cache)
		kref_get(&cache->ref);
	mutex_unlock(&cachefiles_od_mutex);
	return cache;
}

/* The daemon has closed the device; puts its reference. */
void cachefiles_od_cache_unbind(struct cachefiles_od_cache *cache)
{
	LIST_HEAD(pieces);
	LIST_HEAD(ended);

	mutex_lock(&cachefiles_od_mutex);
	cachefiles_od_queue_stop(&cache->queue, &pieces, &ended);
	cachefiles_od_cache_release_if_idle(cache);
	mutex_unlock(&cachefiles_od_mutex);
	cachefiles_od_wait_resume(&pieces);
	cachefiles_od_request_put_all(&ended);
	cachefiles_od_cache_put(cache);
}
