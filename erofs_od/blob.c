// SPDX-License-Identifier: GPL-2.0-only
/*
 * The blobs of a domain, open for one or more mounts. blobs_mutex protects the list and is
 * never held while waiting for the daemon: a task that opens or closes a blob marks it in
 * the list, and others wait for the mark to change.
 */
#include "internal.h"

#include <linux/jiffies.h>
#include <linux/mutex.h>
#include <linux/slab.h>

#include "../compat/wait.h"

/**
 * erofs_od_patience - how long a mount waits for another one that opens a blob, or mounts
 * the same image, in jiffies
 * @sbi: mount
 *
 * Without timeout= it relies on the other's deadline: the default, known to the cache,
 * is the same for both.
 */
long erofs_od_patience(const struct erofs_od_sb_info *sbi)
{
	if (sbi->timeout_ms == CACHEFILES_OD_TIMEOUT_DEFAULT ||
	    sbi->timeout_ms == CACHEFILES_OD_TIMEOUT_NONE)
		return MAX_SCHEDULE_TIMEOUT;
	return msecs_to_jiffies(sbi->timeout_ms);
}

/** erofs_od_metadata_timeout - deadline for metadata of a mount, as in od/cache.h */
unsigned int erofs_od_metadata_timeout(const struct erofs_od_sb_info *sbi)
{
	return sbi->timeout_ms == CACHEFILES_OD_TIMEOUT_DEFAULT ?
	       CACHEFILES_OD_TIMEOUT_METADATA : sbi->timeout_ms;
}

static struct erofs_od_blob *find_blob(struct erofs_od_domain *domain,
				       const char *name)
{
	struct erofs_od_blob *blob;

	lockdep_assert_held(&domain->blobs_mutex);
	list_for_each_entry(blob, &domain->blobs, node)
		if (!strcmp(blob->name, name))
			return blob;
	return NULL;
}

static struct erofs_od_blob *new_blob(struct erofs_od_sb_info *sbi, const char *name)
{
	struct erofs_od_blob *blob = kzalloc(sizeof(*blob), GFP_KERNEL);

	if (!blob)
		return NULL;
	blob->name = kstrdup(name, GFP_KERNEL);
	if (!blob->name) {
		kfree(blob);
		return NULL;
	}
	blob->domain = sbi->domain;
	blob->timeout_ms = erofs_od_metadata_timeout(sbi);
	init_waitqueue_head(&blob->wait);
	blob->state = EROFS_OD_BLOB_OPENING;
	blob->users = 1;
	return blob;
}

static void blob_changed(struct erofs_od_domain *domain)
{
	lockdep_assert_held(&domain->blobs_mutex);
	WRITE_ONCE(domain->changes, domain->changes + 1);
	wake_up_all(&domain->wait);
}

/* Removes a blob from the list and frees it. */
static void drop_blob(struct erofs_od_blob *blob)
{
	struct erofs_od_domain *domain = blob->domain;

	mutex_lock(&domain->blobs_mutex);
	list_del(&blob->node);
	blob_changed(domain);
	mutex_unlock(&domain->blobs_mutex);
	kfree(blob->name);
	kfree(blob);
}

/**
 * get_blob - reference a blob, or mark it as opened by the caller
 * @sbi: mount
 * @name: its key
 * @changes: value of the domain's counter, to wait for another one
 *
 * Return: the blob, open or to be opened by the caller; NULL if another task is opening
 * or closing it; or an ERR_PTR of -ENOMEM.
 */
static struct erofs_od_blob *get_blob(struct erofs_od_sb_info *sbi, const char *name,
				      unsigned int *changes)
{
	struct erofs_od_domain *domain = sbi->domain;
	struct erofs_od_blob *blob;

	mutex_lock(&domain->blobs_mutex);
	*changes = domain->changes;
	blob = find_blob(domain, name);
	if (!blob) {
		blob = new_blob(sbi, name);
		if (blob)
			list_add(&blob->node, &domain->blobs);
		else
			blob = ERR_PTR(-ENOMEM);
	} else if (blob->state == EROFS_OD_BLOB_OPEN) {
		blob->users++;
	} else {
		blob = NULL;
	}
	mutex_unlock(&domain->blobs_mutex);
	return blob;
}

/* Ask the daemon for a blob, unless it is open. */
static struct erofs_od_blob *ask(struct erofs_od_blob *blob)
{
	int err;

	/* Only its opener gets a blob that is not open. */
	if (IS_ERR_OR_NULL(blob) || blob->state == EROFS_OD_BLOB_OPEN)
		return blob;
	blob->cookie = cachefiles_od_acquire_cookie(blob->domain->volume, blob->name,
						    strlen(blob->name), blob->timeout_ms);
	err = PTR_ERR_OR_ZERO(blob->cookie);
	if (!err)
		return blob;
	drop_blob(blob);
	return ERR_PTR(err);
}

/**
 * erofs_od_start_blob - begin to open a blob in a mount's domain, or share it
 * @sbi: mount that has joined its domain
 * @name: the blob's key
 *
 * Context: sleeps, never on the daemon.
 * Return: the blob, for erofs_od_finish_blob() or erofs_od_abandon_blob(); NULL when it
 * is opened or closed just now; or an ERR_PTR.
 */
struct erofs_od_blob *erofs_od_start_blob(struct erofs_od_sb_info *sbi, const char *name)
{
	unsigned int changes;

	return ask(get_blob(sbi, name, &changes));
}

static int wait_for_blob(struct erofs_od_blob *blob)
{
	int err = cachefiles_od_wait_for_cookie(blob->cookie);

	if (err)
		return err;
	blob->meta = erofs_od_meta_new(blob);
	err = PTR_ERR_OR_ZERO(blob->meta);
	if (err)
		return err;
	mutex_lock(&blob->domain->blobs_mutex);
	blob->state = EROFS_OD_BLOB_OPEN;
	blob_changed(blob->domain);
	mutex_unlock(&blob->domain->blobs_mutex);
	return 0;
}

/**
 * erofs_od_finish_blob - wait until a blob is open
 * @blob: of erofs_od_start_blob(), freed on failure
 *
 * Context: sleeps, killably, for as long as the daemon takes.
 * Return: 0 or the daemon's errno.
 */
int erofs_od_finish_blob(struct erofs_od_blob *blob)
{
	int err;

	if (blob->state == EROFS_OD_BLOB_OPEN)
		return 0;
	err = wait_for_blob(blob);
	if (err)
		erofs_od_abandon_blob(blob);
	return err;
}

/**
 * erofs_od_abandon_blob - undo erofs_od_start_blob()
 * @blob: blob
 *
 * Context: sleeps, never on the daemon.
 */
void erofs_od_abandon_blob(struct erofs_od_blob *blob)
{
	if (blob->state == EROFS_OD_BLOB_OPEN) {
		erofs_od_close_blob(blob);
		return;
	}
	cachefiles_od_relinquish_cookie(blob->cookie);
	drop_blob(blob);
}

/**
 * erofs_od_open_blob - open a blob in a mount's domain, or share it
 * @sbi: mount that has joined its domain; it must not keep blobs from being finished
 * @name: the blob's key
 *
 * Context: sleeps, killably, for as long as the daemon takes.
 * Return: the blob, or an ERR_PTR with the daemon's errno.
 */
struct erofs_od_blob *erofs_od_open_blob(struct erofs_od_sb_info *sbi, const char *name)
{
	struct erofs_od_domain *domain = sbi->domain;
	long left = erofs_od_patience(sbi);
	struct erofs_od_blob *blob;
	unsigned int changes;
	int err;

	while (!(blob = get_blob(sbi, name, &changes))) {
		left = od_compat_wait_event_killable(domain->wait,
						     READ_ONCE(domain->changes) != changes, left);
		if (left <= 0)
			return ERR_PTR(left ? -EINTR : -ETIMEDOUT);
	}
	blob = ask(blob);
	if (IS_ERR(blob))
		return blob;
	err = erofs_od_finish_blob(blob);
	return err ? ERR_PTR(err) : blob;
}

/**
 * erofs_od_close_blob - undo erofs_od_open_blob()
 * @blob: blob
 *
 * Context: sleeps, never on the daemon.
 */
void erofs_od_close_blob(struct erofs_od_blob *blob)
{
	struct erofs_od_domain *domain = blob->domain;
	bool last;

	mutex_lock(&domain->blobs_mutex);
	last = !--blob->users;
	if (last)
		blob->state = EROFS_OD_BLOB_CLOSING;
	mutex_unlock(&domain->blobs_mutex);
	if (!last)
		return;
	/* iput() would wait for reads of metadata that wait for the daemon. */
	erofs_od_io_end_reads(blob->meta, &blob, 1, blob);
	iput(blob->meta);
	cachefiles_od_relinquish_cookie(blob->cookie);
	drop_blob(blob);
}

/**
 * erofs_od_is_filled - is nearly all data of a mount present?
 * @sbi: mount
 *
 * A hint: ranges may be given back. Blobs that were found filled are not looked at again.
 *
 * Context: any.
 */
bool erofs_od_is_filled(struct erofs_od_sb_info *sbi)
{
	unsigned int nr = READ_ONCE(sbi->nr_filled);

	while (nr < sbi->nr_blobs && cachefiles_od_is_filled(sbi->blobs[nr]->cookie))
		nr++;
	WRITE_ONCE(sbi->nr_filled, nr);
	return nr == sbi->nr_blobs;
}
