// SPDX-License-Identifier: GPL-2.0-only
/*
 * Reference counts: a cookie holds its volume, a volume its cache, and operations hold the
 * cookie's cache file. The last put frees; the end of the last operation wakes the task that
 * closes the file.
 */
#include "internal.h"

#include <linux/module.h>
#include <linux/slab.h>
#include <linux/wait_bit.h>

/* There may be thousands: a dedicated slab cache uses less than the next power of two. */
static struct kmem_cache *cookies;

int cachefiles_od_refs_init(void)
{
	cookies = kmem_cache_create("cachefiles_od_cookie", sizeof(struct cachefiles_od_cookie), 0,
				    0, NULL);
	return cookies ? 0 : -ENOMEM;
}

void cachefiles_od_refs_exit(void)
{
	kmem_cache_destroy(cookies);
}

struct cachefiles_od_cookie *cachefiles_od_cookie_new(void)
{
	return kmem_cache_zalloc(cookies, GFP_KERNEL);
}

static void cache_free(struct kref *ref)
{
	struct cachefiles_od_cache *cache = container_of(ref, struct cachefiles_od_cache, ref);

	/* Requests hold the cache, so none are left. */
	xa_destroy(&cache->queue.requests);
	path_put(&cache->maps);
	path_put(&cache->graveyard);
	path_put(&cache->store);
	path_put(&cache->root);
	if (cache->cred)
		put_cred(cache->cred);
	kfree(cache->dir);
	kfree(cache->tag);
	kfree(cache);
}

void cachefiles_od_cache_put(struct cachefiles_od_cache *cache)
{
	kref_put(&cache->ref, cache_free);
}

static void volume_free(struct kref *ref)
{
	struct cachefiles_od_volume *volume =
		container_of(ref, struct cachefiles_od_volume, ref);

	cachefiles_od_cache_put(volume->cache);
	kfree(volume);
}

void cachefiles_od_volume_put(struct cachefiles_od_volume *volume)
{
	kref_put(&volume->ref, volume_free);
}

static void cookie_free(struct kref *ref)
{
	struct cachefiles_od_cookie *cookie =
		container_of(ref, struct cachefiles_od_cookie, ref);

	cachefiles_od_volume_put(cookie->volume);
	kfree(cookie->region_used);
	kfree(cookie->name);
	kfree(cookie->key);
	kmem_cache_free(cookies, cookie);
}

void cachefiles_od_cookie_put(struct cachefiles_od_cookie *cookie)
{
	kref_put(&cookie->ref, cookie_free);
}

bool cachefiles_od_begin_operation(struct cachefiles_od_cookie *cookie)
{
	return atomic_inc_not_zero(&cookie->nr_ops);
}
EXPORT_SYMBOL_GPL(cachefiles_od_begin_operation);

void cachefiles_od_end_operation(struct cachefiles_od_cookie *cookie)
{
	/* Only the address is used after the decrement: the cookie may be freed. */
	if (atomic_dec_and_test(&cookie->nr_ops))
		wake_up_var(&cookie->nr_ops);
}
EXPORT_SYMBOL_GPL(cachefiles_od_end_operation);
