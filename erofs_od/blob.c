// SPDX-License-Identifier: GPL-2.0-only
/*
 * The blobs of a domain, open for one or more mounts. blobs_mutex protects their tree and is
 * never held while waiting for the daemon: a task that opens or closes a blob marks it in
 * the tree, and others wait for the mark to change.
 */
#include "internal.h"

#include <linux/jiffies.h>
#include <linux/mutex.h>
#include <linux/rbtree.h>
#include <linux/slab.h>

#include "../compat/wait.h"

#define FOLIO_MAX		(64U << 10)
#define FOLIO_MAX_FILLED	(2U << 20)

static atomic64_t blobs_numbered;

/**
 * erofs_od_patience - how long, in jiffies, a mount waits for another that opens a blob or
 * mounts the same image
 * @sbi: mount
 *
 * Without timeout= it relies on the other mount's deadline: both use the default, which the
 * cache knows.
 */
long erofs_od_patience(const struct erofs_od_sb_info *sbi)
{
	if (sbi->timeout_ms == CACHEFILES_OD_TIMEOUT_DEFAULT ||
	    sbi->timeout_ms == CACHEFILES_OD_TIMEOUT_NONE)
		return MAX_SCHEDULE_TIMEOUT;
	return msecs_to_jiffies(sbi->timeout_ms);
}

/** erofs_od_metadata_timeout - a mount's deadline for metadata reads, as in od/cache.h */
unsigned int erofs_od_metadata_timeout(const struct erofs_od_sb_info *sbi)
{
	return sbi->timeout_ms == CACHEFILES_OD_TIMEOUT_DEFAULT ?
	       CACHEFILES_OD_TIMEOUT_METADATA : sbi->timeout_ms;
}

static struct erofs_od_blob *blob_of(struct rb_node *node)
{
	return rb_entry(node, struct erofs_od_blob, node);
}

static struct erofs_od_blob *find_blob(struct erofs_od_domain *domain, const char *name)
{
	struct rb_node *node = domain->blobs.rb_node;

	lockdep_assert_held(&domain->blobs_mutex);
	while (node) {
		int order = strcmp(name, blob_of(node)->name);

		if (!order)
			return blob_of(node);
		node = order < 0 ? node->rb_left : node->rb_right;
	}
	return NULL;
}

static void add_blob(struct erofs_od_domain *domain, struct erofs_od_blob *blob)
{
	struct rb_node **link = &domain->blobs.rb_node, *parent = NULL;

	lockdep_assert_held(&domain->blobs_mutex);
	while (*link) {
		parent = *link;
		link = strcmp(blob->name, blob_of(parent)->name) < 0 ? &parent->rb_left :
								       &parent->rb_right;
	}
	rb_link_node(&blob->node, parent, link);
	rb_insert_color(&blob->node, &domain->blobs);
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
	blob->number = atomic64_inc_return(&blobs_numbered);
	blob->domain = sbi->domain;
	blob->backend = sbi->fsid ? &erofs_od_cached_backend : &erofs_od_local_backend;
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

/* Removes a blob from the tree and frees it. */
static void drop_blob(struct erofs_od_blob *blob)
{
	struct erofs_od_domain *domain = blob->domain;

	mutex_lock(&domain->blobs_mutex);
	rb_erase(&blob->node, &domain->blobs);
	blob_changed(domain);
	mutex_unlock(&domain->blobs_mutex);
	kfree(blob->name);
	kfree(blob);
}

/**
 * get_blob - reference a blob, or insert one for the caller to open
 * @sbi: mount
 * @name: its key
 * @changes: gets the domain's change counter, to wait until it changes
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
	/* Not shared without a cache: one name may stand for several ranges of a file. */
	blob = domain->volume ? find_blob(domain, name) : NULL;
	if (!blob) {
		blob = new_blob(sbi, name);
		if (blob)
			add_blob(domain, blob);
		else
			blob = ERR_PTR(-ENOMEM);
	} else if (blob->state == EROFS_OD_BLOB_OPEN) {
		blob->users++;
		/* Not that of a mount that was unmounted by force. */
		if (blob->timeout_ms == EROFS_OD_FORCED_MS)
			WRITE_ONCE(blob->timeout_ms, erofs_od_metadata_timeout(sbi));
	} else {
		blob = NULL;
	}
	mutex_unlock(&domain->blobs_mutex);
	return blob;
}

/* Starts to open a blob unless it is open already. */
static struct erofs_od_blob *ask(struct erofs_od_sb_info *sbi, struct erofs_od_blob *blob)
{
	int err;

	/* A blob that is not yet open is returned only to the task that opens it. */
	if (IS_ERR_OR_NULL(blob) || blob->state == EROFS_OD_BLOB_OPEN)
		return blob;
	err = blob->backend->open(sbi, blob);
	if (!err)
		return blob;
	drop_blob(blob);
	return ERR_PTR(err);
}

/**
 * erofs_od_start_blob - start to open a blob in a mount's domain, or share it
 * @sbi: mount that has joined its domain
 * @name: the blob's key
 *
 * Context: sleeps, never on the daemon.
 * Return: the blob, for erofs_od_finish_blob() or erofs_od_abandon_blob(); NULL if another task
 * is opening or closing it; or an ERR_PTR.
 */
struct erofs_od_blob *erofs_od_start_blob(struct erofs_od_sb_info *sbi, const char *name)
{
	unsigned int changes;

	return ask(sbi, get_blob(sbi, name, &changes));
}

/**
 * erofs_od_start_part - start to open a part of a mount's primary blob as a separate blob
 * @sbi: mount without a cache
 * @start: first byte
 * @len: bytes
 *
 * Return: as erofs_od_start_blob(), never NULL.
 */
struct erofs_od_blob *erofs_od_start_part(struct erofs_od_sb_info *sbi, u64 start, u64 len)
{
	unsigned int changes;
	struct erofs_od_blob *blob = get_blob(sbi, sbi->source, &changes);
	int err;

	if (IS_ERR(blob))
		return blob;
	err = erofs_od_local_part(blob, sbi->blobs[0], start, len);
	if (!err)
		return blob;
	drop_blob(blob);
	return ERR_PTR(err);
}

static int wait_for_blob(struct erofs_od_blob *blob)
{
	int err = blob->backend->wait(blob);

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
 * @blob: returned by erofs_od_start_blob(); freed on failure
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
	blob->backend->close(blob);
	drop_blob(blob);
}

/**
 * erofs_od_open_blob - open a blob in a mount's domain, or share it
 * @sbi: mount that has joined its domain; it must hold no blob that is started but not finished
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
	blob = ask(sbi, blob);
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
	/* Otherwise iput() would wait for metadata reads that wait for the daemon. */
	if (blob->meta)
		erofs_od_io_end_reads(blob->meta, &blob, 1, blob);
	iput(blob->meta);
	blob->backend->close(blob);
	drop_blob(blob);
}

/** erofs_od_blob_is_shared - whether an open blob has further users; may change at any time */
bool erofs_od_blob_is_shared(struct erofs_od_blob *blob)
{
	bool shared;

	mutex_lock(&blob->domain->blobs_mutex);
	shared = blob->users > 1;
	mutex_unlock(&blob->domain->blobs_mutex);
	return shared;
}

/*
 * Whether nearly all data of a mount is present. A hint: ranges may be culled later. Blobs once
 * found filled are not checked again.
 */
static bool is_filled(struct erofs_od_sb_info *sbi)
{
	unsigned int nr = READ_ONCE(sbi->nr_filled);

	while (nr < sbi->nr_blobs && sbi->blobs[nr]->backend->is_filled(sbi->blobs[nr]))
		nr++;
	WRITE_ONCE(sbi->nr_filled, nr);
	return nr == sbi->nr_blobs;
}

/**
 * erofs_od_folio_max - size of the largest folio in a file's page cache, in bytes
 * @inode: regular file
 *
 * A folio becomes readable only when all of its blocks have been read, so a large one makes
 * readers wait for data they do not need, unless almost everything is present.
 *
 * Context: any.
 */
unsigned int erofs_od_folio_max(const struct inode *inode)
{
	if (od_inode_is_compressed(&EROFS_OD_I(inode)->od) ||
	    !is_filled(EROFS_OD_SB(inode->i_sb)))
		return FOLIO_MAX;
	return FOLIO_MAX_FILLED;
}
