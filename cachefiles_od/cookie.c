// SPDX-License-Identifier: GPL-2.0-only
/* Cookies: open blobs, from acquisition to relinquishment. */
#include "internal.h"

#include <linux/hashtable.h>
#include <linux/module.h>
#include <linux/slab.h>
#include <linux/timekeeping.h>
#include <linux/wait_bit.h>

/* Cookies of all volumes, by @hash: a volume may have thousands. */
static DEFINE_HASHTABLE(cookies, 10);

static int set_key(struct cachefiles_od_cookie *cookie, const void *key, size_t key_len)
{
	char name[NAME_MAX + 1];
	int len = od_key_file_name(key, key_len, name);

	if (len < 0)
		return len;
	cookie->key = kmemdup(key, key_len, GFP_KERNEL);
	cookie->name = kstrdup(name, GFP_KERNEL);
	if (!cookie->key || !cookie->name)
		return -ENOMEM;
	cookie->key_len = key_len;
	cookie->hash = od_key_cookie_hash(key, key_len, cookie->volume->hash);
	return 0;
}

static struct cachefiles_od_cookie *
alloc_cookie(struct cachefiles_od_volume *volume, const void *key, size_t key_len)
{
	struct cachefiles_od_cookie *cookie = cachefiles_od_cookie_new();
	int err;

	if (!cookie)
		return ERR_PTR(-ENOMEM);
	kref_init(&cookie->ref);
	kref_get(&volume->ref);
	cookie->volume = volume;
	INIT_LIST_HEAD(&cookie->link);
	spin_lock_init(&cookie->lock);
	atomic_set(&cookie->nr_reading[0], 1);
	init_rwsem(&cookie->fill_sem);
	mutex_init(&cookie->commit_mutex);
	cookie->unversioned = true;
	atomic_set(&cookie->nr_ops, 1);
	cookie->state = OD_OBJ_CLOSED;
	cookie->reads = RB_ROOT;
	INIT_LIST_HEAD(&cookie->reads_by_age);
	INIT_LIST_HEAD(&cookie->commit_link);
	INIT_WORK(&cookie->reopen, cachefiles_od_object_reopen);
	err = set_key(cookie, key, key_len);
	if (err) {
		cachefiles_od_cookie_put(cookie);
		return ERR_PTR(err);
	}
	return cookie;
}

static bool is_open(const struct cachefiles_od_cookie *cookie)
{
	struct cachefiles_od_cookie *other;

	lockdep_assert_held(&cachefiles_od_mutex);
	hash_for_each_possible(cookies, other, node, cookie->hash)
		if (other->volume == cookie->volume && other->key_len == cookie->key_len &&
		    memcmp(other->key, cookie->key, cookie->key_len) == 0)
			return true;
	return false;
}

static int link_cookie(struct cachefiles_od_cookie *cookie)
{
	int err = -EBUSY;

	mutex_lock(&cachefiles_od_mutex);
	if (!is_open(cookie)) {
		list_add_tail(&cookie->link, &cookie->volume->cookies);
		hash_add(cookies, &cookie->node, cookie->hash);
		err = 0;
	}
	mutex_unlock(&cachefiles_od_mutex);
	return err;
}

static void unlink_cookie(struct cachefiles_od_cookie *cookie)
{
	mutex_lock(&cachefiles_od_mutex);
	list_del_init(&cookie->link);
	hash_del(&cookie->node);
	mutex_unlock(&cachefiles_od_mutex);
}

/*
 * A running daemon is asked at every acquire, since only it knows the current size and version
 * of the blob. Without a daemon, what is present has to suffice.
 */
static int ask_daemon(struct cachefiles_od_cookie *cookie)
{
	int found = cachefiles_od_backing_find(cookie), err;

	if (found == -EINTR)
		return found;
	if (found && found != -ENOENT) {
		pr_err("volume %s: cache file %s: failed to open: %d\n", cookie->volume->key,
		       cookie->name, found);
		return found;
	}
	err = cachefiles_od_object_ask(cookie);
	if (err == -ENOTCONN && !found)
		return 0;
	return err;
}

struct cachefiles_od_cookie *
cachefiles_od_acquire_cookie(struct cachefiles_od_volume *volume, const void *key, size_t key_len,
			     unsigned int timeout_ms)
{
	struct cachefiles_od_cookie *cookie = alloc_cookie(volume, key, key_len);
	int err;

	if (IS_ERR(cookie))
		return cookie;
	cookie->timeout_ms = cachefiles_od_timeout_ms(timeout_ms);
	cookie->used = ktime_get_real_seconds();
	err = link_cookie(cookie);
	if (err) {
		cachefiles_od_cookie_put(cookie);
		return ERR_PTR(err);
	}
	err = ask_daemon(cookie);
	if (err) {
		cachefiles_od_use_failed_open(cookie, err);
		cachefiles_od_relinquish_cookie(cookie);
		return ERR_PTR(err);
	}
	return cookie;
}
EXPORT_SYMBOL_GPL(cachefiles_od_acquire_cookie);

int cachefiles_od_wait_for_cookie(struct cachefiles_od_cookie *cookie)
{
	int err = cachefiles_od_object_wait(cookie);

	if (err) {
		cachefiles_od_use_failed_open(cookie, err);
		return err;
	}
	spin_lock(&cookie->lock);
	cookie->settled = true;
	spin_unlock(&cookie->lock);
	return 0;
}
EXPORT_SYMBOL_GPL(cachefiles_od_wait_for_cookie);

void cachefiles_od_relinquish_cookie(struct cachefiles_od_cookie *cookie)
{
	struct cachefiles_od_removal *removal;

	cachefiles_od_object_drop(cookie);
	cachefiles_od_end_operation(cookie);
	/* Only I/O on the cache file is left, which completes by itself. */
	wait_var_event(&cookie->nr_ops, atomic_read(&cookie->nr_ops) == 0);
	cachefiles_od_presence_close(cookie);
	removal = cachefiles_od_cull_at_end(cookie);
	cachefiles_od_backing_close(cookie);
	/* Acquired, but never waited for. */
	cachefiles_od_object_stop_waiting(cookie);
	unlink_cookie(cookie);
	if (removal)
		cachefiles_od_cull_later(removal);
	cachefiles_od_cookie_put(cookie);
}
EXPORT_SYMBOL_GPL(cachefiles_od_relinquish_cookie);

u64 cachefiles_od_cookie_size(const struct cachefiles_od_cookie *cookie)
{
	return cookie->size;
}
EXPORT_SYMBOL_GPL(cachefiles_od_cookie_size);

bool cachefiles_od_is_present(struct cachefiles_od_cookie *cookie, u64 start, u64 len)
{
	bool present;
	u64 end;

	if (check_add_overflow(start, len, &end))
		return false;
	spin_lock(&cookie->lock);
	present = od_extents_covers(&cookie->present, start, end);
	spin_unlock(&cookie->lock);
	return present;
}
EXPORT_SYMBOL_GPL(cachefiles_od_is_present);

bool cachefiles_od_is_filled(const struct cachefiles_od_cookie *cookie)
{
	return READ_ONCE(cookie->present.bytes) >= cookie->size - cookie->size / 64;
}
EXPORT_SYMBOL_GPL(cachefiles_od_is_filled);

bool cachefiles_od_is_wide(const struct cachefiles_od_cookie *cookie)
{
	return READ_ONCE(cachefiles_od_cookie_queue(cookie)->wide);
}
EXPORT_SYMBOL_GPL(cachefiles_od_is_wide);
