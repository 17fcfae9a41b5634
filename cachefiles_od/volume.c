// SPDX-License-Identifier: GPL-2.0-only
/* Volumes: namespaces of blobs. */
#include "internal.h"

#include <linux/hashtable.h>
#include <linux/module.h>
#include <linux/slab.h>

/* Volumes of all caches, by @hash: each mount without a domain has one. */
static DEFINE_HASHTABLE(volumes, 8);

static struct cachefiles_od_volume *alloc_volume(const char *key)
{
	struct cachefiles_od_volume *volume = kzalloc(sizeof(*volume), GFP_KERNEL);
	int len;

	if (!volume)
		return ERR_PTR(-ENOMEM);
	len = od_key_volume_name(key, volume->name);
	if (len < 0) {
		kfree(volume);
		return ERR_PTR(len);
	}
	kref_init(&volume->ref);
	ratelimit_state_init(&volume->log_limit, DEFAULT_RATELIMIT_INTERVAL,
			     DEFAULT_RATELIMIT_BURST);
	INIT_LIST_HEAD(&volume->cookies);
	volume->key = volume->name + 1;
	volume->hash = od_key_volume_hash((const u8 *)volume->key, len - 1);
	return volume;
}

static int join_cache(struct cachefiles_od_volume *volume, const char *tag)
{
	struct cachefiles_od_cache *cache = cachefiles_od_cache_find(tag);
	struct cachefiles_od_volume *other;

	lockdep_assert_held(&cachefiles_od_mutex);
	if (!cache)
		return -ENOTCONN;
	hash_for_each_possible(volumes, other, node, volume->hash)
		if (other->cache == cache && strcmp(other->key, volume->key) == 0)
			return -EBUSY;
	kref_get(&cache->ref);
	volume->cache = cache;
	list_add_tail(&volume->link, &cache->volumes);
	hash_add(volumes, &volume->node, volume->hash);
	return 0;
}

struct cachefiles_od_volume *cachefiles_od_acquire_volume(const char *key, const char *tag)
{
	struct cachefiles_od_volume *volume = alloc_volume(key);
	int err;

	if (IS_ERR(volume))
		return volume;
	mutex_lock(&cachefiles_od_mutex);
	err = join_cache(volume, tag);
	mutex_unlock(&cachefiles_od_mutex);
	if (err) {
		kfree(volume);
		return ERR_PTR(err);
	}
	return volume;
}
EXPORT_SYMBOL_GPL(cachefiles_od_acquire_volume);

void cachefiles_od_relinquish_volume(struct cachefiles_od_volume *volume)
{
	mutex_lock(&cachefiles_od_mutex);
	list_del(&volume->link);
	hash_del(&volume->node);
	cachefiles_od_cache_release_if_idle(volume->cache);
	mutex_unlock(&cachefiles_od_mutex);
	cachefiles_od_volume_put(volume);
}
EXPORT_SYMBOL_GPL(cachefiles_od_relinquish_volume);

bool cachefiles_od_volume_is_current(const struct cachefiles_od_volume *volume, const char *tag)
{
	bool current_one;

	mutex_lock(&cachefiles_od_mutex);
	current_one = volume->cache == cachefiles_od_cache_find(tag);
	mutex_unlock(&cachefiles_od_mutex);
	return current_one;
}
EXPORT_SYMBOL_GPL(cachefiles_od_volume_is_current);

unsigned int cachefiles_od_volume_cache(const struct cachefiles_od_volume *volume)
{
	return volume->cache->id;
}
EXPORT_SYMBOL_GPL(cachefiles_od_volume_cache);
