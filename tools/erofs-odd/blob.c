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

static struct blob *blob_new(int dev, uint32_t object_id, int fd, const char *volume,
			     const char *name)
{
	struct blob *blob = calloc(1, sizeof(*blob));

	if (!blob)
		return NULL;
	blob->object_id = object_id;
	blob->dev = dev;
	blob->fd = fd;
	snprintf(blob->volume, sizeof(blob->volume), "%s", volume);
	strcpy(blob->name, name);
	name_printable(name, blob->shown, sizeof(blob->shown));
	/* the table's and the caller's */
	atomic_init(&blob->refs, 2);
	return blob;
}

/**
 * blobs_add - enter a blob
 * @blobs: the table
 * @dev: the device
 * @object_id: must be new
 * @fd: the blob's to close, on success
 * @volume: the volume key
 * @name: a checked name
 *
 * Return: the blob with a reference for the caller, or NULL and errno is set:
 * EEXIST or ENOMEM
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

struct search {
	const struct blob *like;
	const struct blob *found;
};

static void compare_names(const void *node, VISIT visit, void *arg)
{
	struct search *search = arg;
	const struct blob *blob = *(struct blob *const *)node;

	if ((visit != postorder && visit != leaf) || search->found || blob == search->like)
		return;
	if (atomic_load(&blob->open) && !strcmp(blob->name, search->like->name) &&
	    !strcmp(blob->volume, search->like->volume) &&
	    version_same(&blob->version, &search->like->version, false))
		search->found = blob;
}

/**
 * blobs_find_open - is the same version of a blob open already?
 * @blobs: the table
 * @like: a blob whose version is known
 * @validator: gets the name under which the kernel knows that version
 */
bool blobs_find_open(struct blobs *blobs, const struct blob *like,
		     char validator[static VALIDATOR_MAX + 1])
{
	struct search search = { .like = like };

	pthread_mutex_lock(&blobs->lock);
	twalk_r(blobs->tree, compare_names, &search);
	if (search.found)
		strcpy(validator, search.found->validator);
	pthread_mutex_unlock(&blobs->lock);
	return search.found;
}

/** blobs_drop - take a blob from the table; returns 0 or -ENOENT */
int blobs_drop(struct blobs *blobs, uint32_t object_id)
{
	struct blob key = { .object_id = object_id };
	struct blob **node, *blob = NULL;

	pthread_mutex_lock(&blobs->lock);
	node = tfind(&key, &blobs->tree, compare);
	if (node) {
		blob = *node;
		tdelete(blob, &blobs->tree, compare);
	}
	pthread_mutex_unlock(&blobs->lock);
	if (!blob)
		return -ENOENT;
	atomic_store(&blob->gone, true);
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

/** blob_put - give a reference back; the last one closes the fd */
void blob_put(struct blob *blob)
{
	if (atomic_fetch_sub(&blob->refs, 1) != 1)
		return;
	device_close_blob(blob->dev, blob->fd);
	stats.open_blobs--;
	free(blob);
}
