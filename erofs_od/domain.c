// SPDX-License-Identifier: GPL-2.0-only
/*
 * Domains: which mounts share which blobs.
 *
 * A mount with a domain_id joins the others of that name; one without has a domain of its own.
 * A domain is a volume of the cache. domains_mutex protects the lists and hash tables of
 * domains and of their mounts; blob.c manages their blobs.
 */
#include "internal.h"

#include <linux/hashtable.h>
#include <linux/jiffies.h>
#include <linux/mutex.h>
#include <linux/slab.h>
#include <linux/stringhash.h>

#include "../compat/wait.h"

static DEFINE_MUTEX(domains_mutex);
static LIST_HEAD(domains);

/* A node may have hundreds of domains, and a domain thousands of mounts. */
static DEFINE_HASHTABLE(domains_by_key, 8);
static DEFINE_HASHTABLE(mounts_by_fsid, 10);

/* Counts completed, changed and ended mounts; mount_wait has the mounts that wait for one. */
static unsigned int mount_changes;
static DECLARE_WAIT_QUEUE_HEAD(mount_wait);

static void mounts_changed(void)
{
	lockdep_assert_held(&domains_mutex);
	WRITE_ONCE(mount_changes, mount_changes + 1);
	wake_up_all(&mount_wait);
}

static unsigned int hash_string(const void *salt, const char *s)
{
	return full_name_hash(salt, s, strlen(s));
}

/* Only in the cache that the mount would join: another cache may have a domain of that name. */
static struct erofs_od_domain *find_domain(const struct erofs_od_sb_info *sbi, const char *key)
{
	struct erofs_od_domain *domain;

	lockdep_assert_held(&domains_mutex);
	hash_for_each_possible(domains_by_key, domain, key_node, hash_string(NULL, key))
		if (!strcmp(domain->key, key) &&
		    cachefiles_od_volume_is_current(domain->volume, sbi->cache_tag))
			return domain;
	return NULL;
}

static void free_domain(struct erofs_od_domain *domain)
{
	erofs_od_share_put(domain->share);
	kfree(domain->key);
	kfree(domain);
}

static struct erofs_od_domain *alloc_domain(const struct erofs_od_sb_info *sbi, const char *key)
{
	struct erofs_od_domain *domain = kzalloc(sizeof(*domain), GFP_KERNEL);

	if (!domain)
		return NULL;
	domain->key = kstrdup(key, GFP_KERNEL);
	domain->share = erofs_od_share_new();
	if (!domain->key || !domain->share) {
		free_domain(domain);
		return NULL;
	}
	domain->shared = sbi->domain_id;
	INIT_LIST_HEAD(&domain->node);
	mutex_init(&domain->blobs_mutex);
	domain->blobs = RB_ROOT;
	INIT_LIST_HEAD(&domain->mounts);
	init_waitqueue_head(&domain->wait);
	return domain;
}

static struct erofs_od_domain *new_domain(const struct erofs_od_sb_info *sbi, const char *key)
{
	struct erofs_od_domain *domain = alloc_domain(sbi, key);
	int err;

	if (!domain)
		return ERR_PTR(-ENOMEM);
	domain->volume = cachefiles_od_acquire_volume(key, sbi->cache_tag);
	err = PTR_ERR_OR_ZERO(domain->volume);
	if (!err)
		return domain;
	free_domain(domain);
	return ERR_PTR(err);
}

static struct erofs_od_sb_info *find_mount(const struct erofs_od_domain *domain, const char *fsid)
{
	struct erofs_od_sb_info *sbi;

	lockdep_assert_held(&domains_mutex);
	hash_for_each_possible(mounts_by_fsid, sbi, fsid_node, hash_string(domain, fsid))
		if (sbi->domain == domain && !strcmp(sbi->fsid, fsid))
			return sbi;
	return NULL;
}

static bool same_string(const char *a, const char *b)
{
	return a && b ? !strcmp(a, b) : a == b;
}

static bool same_devices(const struct erofs_od_sb_info *a, const struct erofs_od_sb_info *b)
{
	unsigned int i;

	if (a->nr_devices != b->nr_devices)
		return false;
	for (i = 0; i < a->nr_devices; i++)
		if (strcmp(a->devices[i], b->devices[i]))
			return false;
	return true;
}

/**
 * erofs_od_same_options - whether two mounts of an image can share a superblock
 * @a: mount from the cache
 * @b: another mount, perhaps of a file: the memory of a freed mount may have been reused
 */
bool erofs_od_same_options(const struct erofs_od_sb_info *a, const struct erofs_od_sb_info *b)
{
	return same_string(a->fsid, b->fsid) && same_string(a->domain_id, b->domain_id) &&
	       a->timeout_ms == b->timeout_ms && a->user_xattr == b->user_xattr &&
	       a->acl == b->acl && a->share == b->share && same_devices(a, b);
}

/* Another mount of the image exists: share it, or fail. */
static int meet(struct erofs_od_sb_info *sbi, struct erofs_od_sb_info *other)
{
	if (!erofs_od_same_options(sbi, other))
		return -EBUSY;
	sbi->twin = other;
	sbi->twin_changes = mount_changes;
	return -EALREADY;
}

static void add_mount(struct erofs_od_domain *domain, struct erofs_od_sb_info *sbi)
{
	domain->users++;
	list_add_tail(&sbi->node, &domain->mounts);
	sbi->domain = domain;
}

static void add_domain(struct erofs_od_domain *domain)
{
	lockdep_assert_held(&domains_mutex);
	list_add(&domain->node, &domains);
	hash_add(domains_by_key, &domain->key_node, hash_string(NULL, domain->key));
}

/* For local files: a domain without a volume, on no list and in no hash table. */
static int join_alone(struct erofs_od_sb_info *sbi)
{
	struct erofs_od_domain *domain = alloc_domain(sbi, sbi->source);

	if (!domain)
		return -ENOMEM;
	add_mount(domain, sbi);
	return 0;
}

static int join_key(struct erofs_od_sb_info *sbi, const char *key)
{
	struct erofs_od_domain *domain = find_domain(sbi, key);
	struct erofs_od_sb_info *other = domain ? find_mount(domain, sbi->fsid) : NULL;

	lockdep_assert_held(&domains_mutex);
	if (other)
		return meet(sbi, other);
	if (domain && !(domain->shared && sbi->domain_id))
		return -EBUSY;
	if (!domain) {
		domain = new_domain(sbi, key);
		if (IS_ERR(domain))
			return PTR_ERR(domain);
		add_domain(domain);
	}
	add_mount(domain, sbi);
	hash_add(mounts_by_fsid, &sbi->fsid_node, hash_string(domain, sbi->fsid));
	return 0;
}

/**
 * erofs_od_join - join the domain of a mount, or create it
 * @sbi: mount
 *
 * Return: 0; -EALREADY if the domain has a mount of this fsid with the same options, now
 * @sbi->twin; -EBUSY if its options differ, or if another domain has the volume's name; or an
 * errno of cachefiles_od_acquire_volume().
 */
int erofs_od_join(struct erofs_od_sb_info *sbi)
{
	char *key;
	int err;

	if (!sbi->fsid)
		return join_alone(sbi);
	key = kasprintf(GFP_KERNEL, "erofs,%s", sbi->domain_id ?: sbi->fsid);
	if (!key)
		return -ENOMEM;
	mutex_lock(&domains_mutex);
	err = join_key(sbi, key);
	mutex_unlock(&domains_mutex);
	kfree(key);
	return err;
}

/**
 * erofs_od_leave - undo erofs_od_join()
 * @sbi: mount, all its blobs closed
 */
void erofs_od_leave(struct erofs_od_sb_info *sbi)
{
	struct erofs_od_domain *domain = sbi->domain;

	if (!domain)
		return;
	mutex_lock(&domains_mutex);
	list_del(&sbi->node);
	hash_del(&sbi->fsid_node);
	sbi->domain = NULL;
	mounts_changed();
	if (--domain->users) {
		domain = NULL;
	} else {
		/* While the mutex is held: the next mount of this name needs the volume. */
		list_del(&domain->node);
		hash_del(&domain->key_node);
		if (domain->volume)
			cachefiles_od_relinquish_volume(domain->volume);
	}
	mutex_unlock(&domains_mutex);
	if (domain)
		free_domain(domain);
}

/** erofs_od_cache_of - number of the cache of a mount that has joined its domain */
unsigned int erofs_od_cache_of(const struct erofs_od_sb_info *sbi)
{
	return cachefiles_od_volume_cache(sbi->domain->volume);
}

/**
 * erofs_od_list_mount - show a mount in /proc, or hide it
 * @sbi: mount
 * @listed: show it if true, else hide it
 */
void erofs_od_list_mount(struct erofs_od_sb_info *sbi, bool listed)
{
	mutex_lock(&domains_mutex);
	sbi->listed = listed;
	mounts_changed();
	mutex_unlock(&domains_mutex);
}

/**
 * erofs_od_for_each_mount - call a function for each mount that is listed
 * @show: called with domains_mutex held; must not sleep for long
 * @data: for @show
 */
void erofs_od_for_each_mount(void (*show)(struct erofs_od_sb_info *sbi, void *data), void *data)
{
	struct erofs_od_domain *domain;
	struct erofs_od_sb_info *sbi;

	mutex_lock(&domains_mutex);
	list_for_each_entry(domain, &domains, node)
		list_for_each_entry(sbi, &domain->mounts, node)
			if (sbi->listed)
				show(sbi, data);
	mutex_unlock(&domains_mutex);
}

/**
 * erofs_od_wait_for_twin - wait until the twin of a mount is completed or ended
 * @sbi: mount for which erofs_od_join() returned -EALREADY
 *
 * Context: sleeps, killably and freezably.
 * Return: 0, -EINTR or -ETIMEDOUT
 */
int erofs_od_wait_for_twin(struct erofs_od_sb_info *sbi)
{
	long left = erofs_od_patience(sbi);

	left = od_compat_wait_event_killable(mount_wait,
					     READ_ONCE(mount_changes) != sbi->twin_changes, left);
	return left > 0 ? 0 : left ? -EINTR : -ETIMEDOUT;
}

/**
 * erofs_od_set_timeout - change how long a mount waits for the daemon
 * @sbi: mount, its primary blob open
 * @timeout_ms: as in od/cache.h
 *
 * Metadata is read with the deadline of the primary blob; if that is a data blob of another mount,
 * it keeps the deadline. A mount that waits to share this one compares its options again.
 *
 * Context: sleeps, never on the daemon.
 */
void erofs_od_set_timeout(struct erofs_od_sb_info *sbi, unsigned int timeout_ms)
{
	bool shared = erofs_od_blob_is_shared(sbi->blobs[0]);

	mutex_lock(&domains_mutex);
	WRITE_ONCE(sbi->timeout_ms, timeout_ms);
	if (!shared)
		WRITE_ONCE(sbi->blobs[0]->timeout_ms, erofs_od_metadata_timeout(sbi));
	mounts_changed();
	mutex_unlock(&domains_mutex);
}
