// SPDX-License-Identifier: GPL-2.0-only
#include "blob.h"

#include <errno.h>
#include <search.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "device.h"
#include "stats.h"

static int compare(const void *a, const void *b)
{
	const struct blob *x = a, *y = b;

	return (x->object_id > y->object_id) - (x->object_id < y->object_id);
}

static struct blob **chain_of(struct blobs *blobs, const char *volume, const char *name)
{
	uint32_t hash = 2166136261U;

	for (; *volume; volume++)
		hash = (hash ^ (uint8_t)*volume) * 16777619U;
	for (; *name; name++)
		hash = (hash ^ (uint8_t)*name) * 16777619U;
	return &blobs->by_name[(hash ^ hash >> 16) % BLOBS_CHAINS];
}

static void link_blob(struct blobs *blobs, struct blob *blob)
{
	struct blob **chain = chain_of(blobs, blob->volume, blob->name);

	blob->next = *chain;
	*chain = blob;
}

static void unlink_blob(struct blobs *blobs, struct blob *blob)
{
	struct blob **at = chain_of(blobs, blob->volume, blob->name);

	while (*at != blob)
		at = &(*at)->next;
	*at = blob->next;
}

static struct blob *blob_new(int dev, uint32_t object_id, int fd, const char *volume,
			     const char *name)
{
	size_t volume_size = strlen(volume) + 1, name_size = strlen(name) + 1, shown_size;
	char shown[BLOB_NAME_MAX * 4 + 1], *strings;
	struct blob *blob;

	name_printable(name, shown, sizeof(shown));
	shown_size = strlen(shown) + 1;
	/* Names are usually short, and there may be thousands of blobs. */
	blob = calloc(1, sizeof(*blob) + volume_size + name_size + shown_size);
	if (!blob)
		return NULL;
	strings = (char *)(blob + 1);
	blob->volume = memcpy(strings, volume, volume_size);
	blob->name = memcpy(strings + volume_size, name, name_size);
	blob->shown = memcpy(strings + volume_size + name_size, shown, shown_size);
	blob->object_id = object_id;
	blob->dev = dev;
	blob->fd = fd;
	/* the table's and the caller's */
	atomic_init(&blob->refs, 2);
	return blob;
}

/**
 * blobs_add - add a blob
 * @blobs: the table
 * @dev: the device
 * @object_id: must be new
 * @fd: its fd, owned by the blob on success
 * @volume: the volume key
 * @name: a checked name
 *
 * Return: the blob with a reference for the caller, or NULL with errno set to EEXIST or ENOMEM
 */
struct blob *blobs_add(struct blobs *blobs, int dev, uint32_t object_id, int fd,
		       const char *volume, const char *name)
{
	struct blob *blob = blob_new(dev, object_id, fd, volume, name);
	struct blob **node;

	errno = ENOMEM;
	if (!blob)
		return NULL;
	pthread_mutex_lock(&blobs->lock);
	node = tsearch(blob, &blobs->tree, compare);
	if (node && *node == blob)
		link_blob(blobs, blob);
	pthread_mutex_unlock(&blobs->lock);
	if (node && *node == blob) {
		stats.open_blobs++;
		return blob;
	}
	errno = node ? EEXIST : ENOMEM;
	free(blob);
	return NULL;
}

/** blobs_get - find a blob; returns it with a reference, or NULL */
struct blob *blobs_get(struct blobs *blobs, uint32_t object_id)
{
	struct blob key = { .object_id = object_id };
	struct blob **node, *blob = NULL;

	pthread_mutex_lock(&blobs->lock);
	node = tfind(&key, &blobs->tree, compare);
	if (node) {
		blob = *node;
		atomic_fetch_add(&blob->refs, 1);
	}
	pthread_mutex_unlock(&blobs->lock);
	return blob;
}

/* Finds an open blob, of the version of @like unless that is NULL; with the lock held. */
static struct blob *find_named(struct blobs *blobs, const char *volume, const char *name,
			       const struct blob *like)
{
	struct blob *blob = *chain_of(blobs, volume, name);

	for (; blob; blob = blob->next)
		if (atomic_load(&blob->open) && !strcmp(blob->name, name) &&
		    !strcmp(blob->volume, volume) &&
		    (!like || (blob != like &&
			       version_same(&blob->version, &like->version, false))))
			return blob;
	return NULL;
}

/**
 * blobs_find_open - whether the same version of a blob is open already
 * @blobs: the table
 * @like: a blob whose version is known
 * @validator: gets the validator by which the kernel knows that version
 */
bool blobs_find_open(struct blobs *blobs, const struct blob *like,
		     char validator[static VALIDATOR_MAX + 1])
{
	struct blob *found;

	pthread_mutex_lock(&blobs->lock);
	found = find_named(blobs, like->volume, like->name, like);
	if (found)
		strcpy(validator, found->validator);
	pthread_mutex_unlock(&blobs->lock);
	return found;
}

/** blobs_find - find a blob that is open; returns it with a reference, or NULL */
struct blob *blobs_find(struct blobs *blobs, const char *volume, const char *name)
{
	struct blob *found;

	pthread_mutex_lock(&blobs->lock);
	found = find_named(blobs, volume, name, NULL);
	if (found)
		blob_get(found);
	pthread_mutex_unlock(&blobs->lock);
	return found;
}

/** blobs_drop - remove a blob from the table; returns 0 or -ENOENT */
int blobs_drop(struct blobs *blobs, uint32_t object_id)
{
	struct blob key = { .object_id = object_id };
	struct blob **node, *blob = NULL;

	pthread_mutex_lock(&blobs->lock);
	node = tfind(&key, &blobs->tree, compare);
	if (node) {
		blob = *node;
		tdelete(blob, &blobs->tree, compare);
		unlink_blob(blobs, blob);
	}
	pthread_mutex_unlock(&blobs->lock);
	if (!blob)
		return -ENOENT;
	atomic_store(&blob->closed, true);
	blob_put(blob);
	return 0;
}

/** blobs_drop_all - empty the table */
void blobs_drop_all(struct blobs *blobs)
{
	while (blobs->tree)
		blobs_drop(blobs, (*(struct blob **)blobs->tree)->object_id);
}

/** blob_get - take another reference */
void blob_get(struct blob *blob)
{
	atomic_fetch_add(&blob->refs, 1);
}

/** blob_put - drop a reference; the last one closes the fd */
void blob_put(struct blob *blob)
{
	if (atomic_fetch_sub(&blob->refs, 1) != 1)
		return;
	device_close_blob(blob->dev, blob->fd);
	stats.open_blobs--;
	free(blob);
}
