// SPDX-License-Identifier: GPL-2.0-only
/*
 * Domains: which mounts share which blobs.
 *
 * A mount with a domain_id joins the others of that name; one without has a
 * domain to itself. A domain is a volume of the cache. The mutex protects all
 * lists and is never held while the daemon is waited for: whoever opens or
 * closes a blob leaves a mark in the list, and others wait for it to change.
 */
#include "internal.h"

#include <linux/jiffies.h>
#include <linux/mutex.h>
#include <linux/slab.h>

#include "../compat/wait.h"

/**
 * struct erofs_od_domain - mounts that share blobs
 * @node: in the list of all domains
 * @users: mounts
 * @key: volume key
 * @shared: others may join
 * @volume: the volume
 * @blobs: open blobs, and those being opened or closed
 * @mounts: mounts
 * @changes: how often a blob was opened or closed, or could not be
 * @wait: for a change
 */
struct erofs_od_domain {
	struct list_head node;
	unsigned int users;
	char *key;
	bool shared;
	struct cachefiles_od_volume *volume;
	struct list_head blobs;
	struct list_head mounts;
	unsigned int changes;
	wait_queue_head_t wait;
};

static DEFINE_MUTEX(erofs_od_mutex);
static LIST_HEAD(erofs_od_domains);

/* How often a mount became complete, was changed or ended, and who waits for that. */
static unsigned int erofs_od_mount_changes;
static DECLARE_WAIT_QUEUE_HEAD(erofs_od_mount_wait);

static void erofs_od_mounts_changed(void)
{
	lockdep_assert_held(&erofs_od_mutex);
	WRITE_ONCE(erofs_od_mount_changes, erofs_od_mount_changes + 1);
	wake_up_all(&erofs_od_mount_wait);
}

/* In the cache that the mount is to join: another one may have a domain of that name. */
static struct erofs_od_domain *erofs_od_find_domain(const struct erofs_od_mount *m,
						    const char *key)
{
	struct erofs_od_domain *domain;

	lockdep_assert_held(&erofs_od_mutex);
	list_for_each_entry(domain, &erofs_od_domains, node)
		if (!strcmp(domain->key, key) &&
		    cachefiles_od_volume_is_current(domain->volume, m->cache_tag))
			return domain;
	return NULL;
}

static void erofs_od_free_domain(struct erofs_od_domain *domain)
{
	kfree(domain->key);
	kfree(domain);
}

static struct erofs_od_domain *erofs_od_new_domain(const struct erofs_od_mount *m, const char *key)
{
	struct erofs_od_domain *domain = kzalloc(sizeof(*domain), GFP_KERNEL);
	int err;

	if (!domain)
		return ERR_PTR(-ENOMEM);
	domain->key = kstrdup(key, GFP_KERNEL);
	domain->shared = m->domain_id;
	INIT_LIST_HEAD(&domain->blobs);
	INIT_LIST_HEAD(&domain->mounts);
	init_waitqueue_head(&domain->wait);
	err = -ENOMEM;
	if (!domain->key)
		goto free;
	domain->volume = cachefiles_od_acquire_volume(key, m->cache_tag);
	err = PTR_ERR_OR_ZERO(domain->volume);
	if (err)
		goto free;
	return domain;
free:
	erofs_od_free_domain(domain);
	return ERR_PTR(err);
}

static struct erofs_od_mount *erofs_od_find_mount(const struct erofs_od_domain *domain,
						  const char *fsid)
{
	struct erofs_od_mount *m;

	list_for_each_entry(m, &domain->mounts, node)
		if (!strcmp(m->fsid, fsid))
			return m;
	return NULL;
}

/* Another mount is in the way, or can be shared. */
static int erofs_od_meet(struct erofs_od_mount *m, struct erofs_od_mount *other)
{
	if (!erofs_od_same_options(m, other))
		return -EBUSY;
	m->twin = other;
	m->twin_changes = erofs_od_mount_changes;
	return -EALREADY;
}

static int erofs_od_join_key(struct erofs_od_mount *m, const char *key)
{
	struct erofs_od_domain *domain = erofs_od_find_domain(m, key);
	struct erofs_od_mount *other = domain ? erofs_od_find_mount(domain, m->fsid) : NULL;

	lockdep_assert_held(&erofs_od_mutex);
	if (other)
		return erofs_od_meet(m, other);
	if (domain && !(domain->shared && m->domain_id))
		return -EBUSY;
	if (!domain) {
		domain = erofs_od_new_domain(m, key);
		if (IS_ERR(domain))
			return PTR_ERR(domain);
		list_add(&domain->node, &erofs_od_domains);
	}
	domain->users++;
	list_add_tail(&m->node, &domain->mounts);
	m->domain = domain;
	return 0;
}

/**
 * erofs_od_join - join or make a mount's domain
 * @m: mount
 *
 * Return: 0; -EALREADY the domain has a mount of this fsid with the same options,
 * which is @m->twin now; -EBUSY it has one with other options, or the volume's name
 * is another's; or why the cache does not give a volume.
 */
int erofs_od_join(struct erofs_od_mount *m)
{
	char *key = kasprintf(GFP_KERNEL, "erofs,%s", m->domain_id ?: m->fsid);
	int err;

	if (!key)
		return -ENOMEM;
	mutex_lock(&erofs_od_mutex);
	err = erofs_od_join_key(m, key);
	mutex_unlock(&erofs_od_mutex);
	kfree(key);
	return err;
}

/**
 * erofs_od_leave - undo erofs_od_join()
 * @m: mount, all its blobs closed
 */
void erofs_od_leave(struct erofs_od_mount *m)
{
	struct erofs_od_domain *domain = m->domain;

	if (!domain)
		return;
	mutex_lock(&erofs_od_mutex);
	list_del(&m->node);
	m->domain = NULL;
	erofs_od_mounts_changed();
	if (--domain->users) {
		domain = NULL;
	} else {
		/* Under the mutex: the next mount of this name needs the volume. */
		list_del(&domain->node);
		cachefiles_od_relinquish_volume(domain->volume);
	}
	mutex_unlock(&erofs_od_mutex);
	if (domain)
		erofs_od_free_domain(domain);
}

/**
 * erofs_od_list_mount - show a mount in /proc, or no longer
 * @m: mount
 * @listed: which
 */
void erofs_od_list_mount(struct erofs_od_mount *m, bool listed)
{
	mutex_lock(&erofs_od_mutex);
	m->listed = listed;
	erofs_od_mounts_changed();
	mutex_unlock(&erofs_od_mutex);
}

/**
 * erofs_od_for_each_mount - visit all mounts that may be shown
 * @show: what to do with them; must not sleep for long
 * @data: for @show
 */
void erofs_od_for_each_mount(void (*show)(struct erofs_od_mount *m, void *data), void *data)
{
	struct erofs_od_domain *domain;
	struct erofs_od_mount *m;

	mutex_lock(&erofs_od_mutex);
	list_for_each_entry(domain, &erofs_od_domains, node)
		list_for_each_entry(m, &domain->mounts, node)
			if (m->listed)
				show(m, data);
	mutex_unlock(&erofs_od_mutex);
}

/*
 * How long a mount waits for another one that opens a blob, or mounts the same image.
 * Without timeout= that one's patience has to do: the default, which the cache knows,
 * is the same for both.
 */
static long erofs_od_patience(const struct erofs_od_mount *m)
{
	if (m->timeout_ms == CACHEFILES_OD_TIMEOUT_DEFAULT ||
	    m->timeout_ms == CACHEFILES_OD_TIMEOUT_NONE)
		return MAX_SCHEDULE_TIMEOUT;
	return msecs_to_jiffies(m->timeout_ms);
}

/* A deadline that the mount does not set is the one for metadata. */
static unsigned int erofs_od_metadata_timeout(const struct erofs_od_mount *m)
{
	return m->timeout_ms == CACHEFILES_OD_TIMEOUT_DEFAULT ?
	       CACHEFILES_OD_TIMEOUT_METADATA : m->timeout_ms;
}

/**
 * erofs_od_wait_for_twin - wait until the mount that was met is complete or ended
 * @m: mount whose erofs_od_join() returned -EALREADY
 *
 * Context: sleeps, killably and freezably.
 * Return: 0, -EINTR or -ETIMEDOUT
 */
int erofs_od_wait_for_twin(struct erofs_od_mount *m)
{
	long left = erofs_od_patience(m);

	left = od_compat_wait_event_killable(erofs_od_mount_wait,
					     READ_ONCE(erofs_od_mount_changes) != m->twin_changes,
					     left);
	return left > 0 ? 0 : left ? -EINTR : -ETIMEDOUT;
}

/**
 * erofs_od_set_timeout - a remount has changed how long to wait for the daemon
 * @m: mount
 * @timeout_ms: in the terms of od/cache.h
 *
 * Metadata is read from the primary blob alone, which no other mount has. A mount that
 * wanted to share this one looks at its options again.
 *
 * Context: sleeps, never on the daemon.
 */
void erofs_od_set_timeout(struct erofs_od_mount *m, unsigned int timeout_ms)
{
	mutex_lock(&erofs_od_mutex);
	WRITE_ONCE(m->timeout_ms, timeout_ms);
	WRITE_ONCE(m->blobs[0]->timeout_ms, erofs_od_metadata_timeout(m));
	erofs_od_mounts_changed();
	mutex_unlock(&erofs_od_mutex);
}

static struct erofs_od_blob *erofs_od_find_blob(struct erofs_od_domain *domain,
						const char *name)
{
	struct erofs_od_blob *blob;

	lockdep_assert_held(&erofs_od_mutex);
	list_for_each_entry(blob, &domain->blobs, node)
		if (!strcmp(blob->name, name))
			return blob;
	return NULL;
}

static struct erofs_od_blob *erofs_od_new_blob(struct erofs_od_mount *m, const char *name)
{
	struct erofs_od_blob *blob = kzalloc(sizeof(*blob), GFP_KERNEL);

	if (!blob)
		return NULL;
	blob->name = kstrdup(name, GFP_KERNEL);
	if (!blob->name) {
		kfree(blob);
		return NULL;
	}
	blob->domain = m->domain;
	blob->timeout_ms = erofs_od_metadata_timeout(m);
	init_waitqueue_head(&blob->wait);
	blob->state = EROFS_OD_BLOB_OPENING;
	blob->users = 1;
	return blob;
}

static void erofs_od_blob_changed(struct erofs_od_domain *domain)
{
	lockdep_assert_held(&erofs_od_mutex);
	WRITE_ONCE(domain->changes, domain->changes + 1);
	wake_up_all(&domain->wait);
}

/* Take a blob out of the list and let go of it. */
static void erofs_od_drop_blob(struct erofs_od_blob *blob)
{
	mutex_lock(&erofs_od_mutex);
	list_del(&blob->node);
	erofs_od_blob_changed(blob->domain);
	mutex_unlock(&erofs_od_mutex);
	kfree(blob->name);
	kfree(blob);
}

/* Ask the daemon for a blob that the list has our mark for. */
static int erofs_od_do_open_blob(struct erofs_od_blob *blob)
{
	int err;

	blob->cookie = cachefiles_od_acquire_cookie(blob->domain->volume, blob->name,
						    strlen(blob->name), blob->timeout_ms);
	if (IS_ERR(blob->cookie))
		return PTR_ERR(blob->cookie);
	blob->meta = erofs_od_meta_new(blob);
	err = PTR_ERR_OR_ZERO(blob->meta);
	if (err) {
		cachefiles_od_relinquish_cookie(blob->cookie);
		return err;
	}
	mutex_lock(&erofs_od_mutex);
	blob->state = EROFS_OD_BLOB_OPEN;
	erofs_od_blob_changed(blob->domain);
	mutex_unlock(&erofs_od_mutex);
	return 0;
}

/**
 * erofs_od_get_blob - take a blob, or put down the mark that we open it
 * @m: mount
 * @name: its key
 * @changes: if somebody else opens or closes it, for what to wait
 *
 * Return: the blob, open or for us to open; NULL: wait; or -ENOMEM.
 */
static struct erofs_od_blob *erofs_od_get_blob(struct erofs_od_mount *m, const char *name,
					       unsigned int *changes)
{
	struct erofs_od_domain *domain = m->domain;
	struct erofs_od_blob *blob;

	mutex_lock(&erofs_od_mutex);
	*changes = domain->changes;
	blob = erofs_od_find_blob(domain, name);
	if (!blob) {
		blob = erofs_od_new_blob(m, name);
		if (blob)
			list_add(&blob->node, &domain->blobs);
		else
			blob = ERR_PTR(-ENOMEM);
	} else if (blob->state == EROFS_OD_BLOB_OPEN) {
		blob->users++;
	} else {
		blob = NULL;
	}
	mutex_unlock(&erofs_od_mutex);
	return blob;
}

/**
 * erofs_od_open_blob - open a blob in a mount's domain, or share it
 * @m: mount that has joined its domain
 * @name: the blob's key
 *
 * Context: sleeps, killably, for as long as the daemon takes.
 * Return: the blob, or an ERR_PTR with the daemon's errno.
 */
struct erofs_od_blob *erofs_od_open_blob(struct erofs_od_mount *m, const char *name)
{
	struct erofs_od_domain *domain = m->domain;
	long left = erofs_od_patience(m);
	struct erofs_od_blob *blob;
	unsigned int changes;
	int err;

	while (!(blob = erofs_od_get_blob(m, name, &changes))) {
		left = od_compat_wait_event_killable(domain->wait,
						     READ_ONCE(domain->changes) != changes, left);
		if (left <= 0)
			return ERR_PTR(left ? -EINTR : -ETIMEDOUT);
	}
	/* Nobody but its opener is given a blob that is not open. */
	if (IS_ERR(blob) || blob->state == EROFS_OD_BLOB_OPEN)
		return blob;
	err = erofs_od_do_open_blob(blob);
	if (!err)
		return blob;
	erofs_od_drop_blob(blob);
	return ERR_PTR(err);
}

/**
 * erofs_od_close_blob - undo erofs_od_open_blob()
 * @blob: blob
 *
 * Context: sleeps, never on the daemon.
 */
void erofs_od_close_blob(struct erofs_od_blob *blob)
{
	bool last;

	mutex_lock(&erofs_od_mutex);
	last = !--blob->users;
	if (last)
		blob->state = EROFS_OD_BLOB_CLOSING;
	mutex_unlock(&erofs_od_mutex);
	if (!last)
		return;
	/* Metadata that still waits for the daemon would hold up iput(). */
	erofs_od_io_end_reads(blob->meta, &blob, 1, blob);
	iput(blob->meta);
	cachefiles_od_relinquish_cookie(blob->cookie);
	erofs_od_drop_blob(blob);
}
