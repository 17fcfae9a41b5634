// SPDX-License-Identifier: GPL-2.0-only
/*
 * Caches: the directories that daemons bind, and their lifetime.
 *
 * A cache outlives its daemon for as long as a volume uses it, so present data is still served;
 * the next daemon that binds the same directory takes it over. A daemon that binds another
 * directory gets a separate cache, which new mounts join.
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

/* Caches used by a daemon or a volume, newest first; under cachefiles_od_mutex. */
LIST_HEAD(cachefiles_od_caches);

/* ID of the newest cache; under cachefiles_od_mutex. */
static unsigned int last_id;

static const struct cred *make_cred(const char *secctx)
{
	struct cred *cred = prepare_kernel_cred(current);
	int err;

	if (!cred)
		return ERR_PTR(-ENOMEM);
	if (!secctx)
		return cred;
	err = od_compat_act_as(cred, secctx);
	if (err) {
		pr_err("secctx %s: rejected by the security module: %d\n", secctx, err);
		put_cred(cred);
		return ERR_PTR(err);
	}
	return cred;
}

static int open_dirs(struct cachefiles_od_cache *cache)
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

static int setup_cache(struct cachefiles_od_cache *cache, const struct cachefiles_od_config *config)
{
	const struct cred *cred;
	int err;

	cache->dir = kstrdup(config->dir, GFP_KERNEL);
	cache->tag = kstrdup(config->tag ?: CACHEFILES_OD_TAG_DEFAULT, GFP_KERNEL);
	if (!cache->dir || !cache->tag)
		return -ENOMEM;
	cred = make_cred(config->secctx);
	if (IS_ERR(cred))
		return PTR_ERR(cred);
	cache->cred = cred;
	cachefiles_od_room_set_limits(cache, &config->blocks, &config->files);
	cache->queue.wide = config->wide;
	cache->queue.events = config->events;
	err = cachefiles_od_check_fs(cache);
	return err ?: open_dirs(cache);
}

/* Creates a cache in a directory; takes ownership of the path. */
static struct cachefiles_od_cache *
create_cache(const struct cachefiles_od_config *config, const struct path *root)
{
	struct cachefiles_od_cache *cache = kzalloc(sizeof(*cache), GFP_KERNEL);
	int err;

	if (!cache) {
		path_put(root);
		return ERR_PTR(-ENOMEM);
	}
	kref_init(&cache->ref);
	mutex_init(&cache->names_mutex);
	INIT_LIST_HEAD(&cache->link);
	spin_lock_init(&cache->room_lock);
	INIT_LIST_HEAD(&cache->volumes);
	cachefiles_od_request_init_queue(&cache->queue);
	cachefiles_od_wait_init(&cache->queue);
	cachefiles_od_presence_init_cache(cache);
	cache->root = *root;
	err = setup_cache(cache, config);
	if (err) {
		cachefiles_od_cache_put(cache);
		return ERR_PTR(err);
	}
	return cache;
}

static int check_config(const struct cachefiles_od_config *config)
{
	int err = od_limit_check(&config->blocks) ?: od_limit_check(&config->files);

	if (err)
		pr_err("bind: limits must be in the order stop < cull < run < 100%%\n");
	return err;
}

static struct cachefiles_od_cache *find_by_root(const struct path *root)
{
	struct cachefiles_od_cache *cache;

	list_for_each_entry(cache, &cachefiles_od_caches, link)
		if (cache->root.dentry == root->dentry)
			return cache;
	return NULL;
}

/* Two caches with daemons must have different tags. */
static int check_tag(const struct cachefiles_od_cache *but, const char *tag)
{
	struct cachefiles_od_cache *cache;

	list_for_each_entry(cache, &cachefiles_od_caches, link) {
		if (cache != but && cache->queue.live && !strcmp(cache->tag, tag)) {
			pr_err("tag %s: bound by another daemon: %d\n", tag, -EBUSY);
			return -EBUSY;
		}
	}
	return 0;
}

static void start(struct cachefiles_od_cache *cache, unsigned int device)
{
	cache->device = device;
	cachefiles_od_queue_start(&cache->queue);
}

/* A cache that has lost its daemon continues, with all its open blobs. */
static int take_over(struct cachefiles_od_cache *cache, const struct cachefiles_od_config *config,
		     unsigned int device)
{
	const char *wanted = config->tag ?: CACHEFILES_OD_TAG_DEFAULT;
	char *tag;
	int err;

	if (cache->queue.live) {
		pr_err("dir %s: bound by another daemon: %d\n", cache->dir, -EBUSY);
		return -EBUSY;
	}
	err = check_tag(cache, wanted);
	if (err)
		return err;
	tag = kstrdup(wanted, GFP_KERNEL);
	if (!tag)
		return -ENOMEM;
	kfree(cache->tag);
	cache->tag = tag;
	cachefiles_od_room_set_limits(cache, &config->blocks, &config->files);
	WRITE_ONCE(cache->queue.wide, config->wide);
	WRITE_ONCE(cache->queue.events, config->events);
	kref_get(&cache->ref);
	start(cache, device);
	pr_info("dir %s: taken over by a new daemon\n", cache->dir);
	return 0;
}

/* Another daemon may have bound the directory since the lookup. */
static int publish(struct cachefiles_od_cache *cache, unsigned int device)
{
	int err;

	if (find_by_root(&cache->root)) {
		pr_err("dir %s: bound by another daemon: %d\n", cache->dir, -EBUSY);
		return -EBUSY;
	}
	err = check_tag(cache, cache->tag);
	if (err)
		return err;
	cache->id = ++last_id;
	list_add(&cache->link, &cachefiles_od_caches);
	start(cache, device);
	return 0;
}

/* Creates directories, which may block on the disk for long: no lock is held. */
static struct cachefiles_od_cache *bind_new(const struct cachefiles_od_config *config,
					    const struct path *root, unsigned int device)
{
	struct cachefiles_od_cache *cache;
	int err = cachefiles_od_wait_thawed(root);

	if (err) {
		path_put(root);
		return ERR_PTR(err);
	}
	cache = create_cache(config, root);
	if (IS_ERR(cache))
		return cache;
	mutex_lock(&cachefiles_od_mutex);
	err = publish(cache, device);
	mutex_unlock(&cachefiles_od_mutex);
	if (!err)
		return cache;
	cachefiles_od_cache_put(cache);
	return ERR_PTR(err);
}

/* Binds a directory for the daemon that holds @device; the result has a reference for it. */
struct cachefiles_od_cache *cachefiles_od_cache_bind(const struct cachefiles_od_config *config,
						     unsigned int device)
{
	struct cachefiles_od_cache *cache;
	struct path root;
	int err = check_config(config);

	if (err)
		return ERR_PTR(err);
	err = kern_path(config->dir, LOOKUP_FOLLOW | LOOKUP_DIRECTORY, &root);
	if (err) {
		pr_err("dir %s: failed to look up: %d\n", config->dir, err);
		return ERR_PTR(err);
	}
	mutex_lock(&cachefiles_od_mutex);
	cache = find_by_root(&root);
	if (cache)
		err = take_over(cache, config, device);
	mutex_unlock(&cachefiles_od_mutex);
	if (!cache)
		return bind_new(config, &root, device);
	path_put(&root);
	return err ? ERR_PTR(err) : cache;
}

/* Removes a cache that neither a daemon nor a volume uses any more. */
void cachefiles_od_cache_release_if_idle(struct cachefiles_od_cache *cache)
{
	lockdep_assert_held(&cachefiles_od_mutex);
	if (!list_empty(&cache->link) && list_empty(&cache->volumes) &&
	    !READ_ONCE(cache->queue.live)) {
		list_del_init(&cache->link);
		cachefiles_od_presence_stop(cache);
	}
}

/*
 * Finds the cache that a mount joins: the one with this tag, or that of the first device if
 * @tag is NULL. One with a daemon is preferred, then the newest. NULL if there is none.
 */
struct cachefiles_od_cache *cachefiles_od_cache_find(const char *tag)
{
	struct cachefiles_od_cache *cache, *found = NULL;

	lockdep_assert_held(&cachefiles_od_mutex);
	list_for_each_entry(cache, &cachefiles_od_caches, link) {
		if (tag ? strcmp(cache->tag, tag) != 0 : cache->device != 0)
			continue;
		if (cache->queue.live)
			return cache;
		found = found ?: cache;
	}
	return found;
}

/* The oldest cache with an ID above this one, with a reference, or NULL. */
struct cachefiles_od_cache *cachefiles_od_cache_get_after(unsigned int id)
{
	struct cachefiles_od_cache *cache, *found = NULL;

	mutex_lock(&cachefiles_od_mutex);
	list_for_each_entry(cache, &cachefiles_od_caches, link)
		if (cache->id > id)
			found = cache;
	if (found)
		kref_get(&found->ref);
	mutex_unlock(&cachefiles_od_mutex);
	return found;
}

/* The daemon has closed the device; drops its reference. */
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
