/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The open blobs, by object id. A blob lives as long as somebody holds a
 * reference: the table has one until CLOSE, each request has one while it is
 * handled. So an fd is closed after the last request that uses it, and its
 * number cannot meanwhile come to mean another blob.
 */
#ifndef ODD_BLOB_H
#define ODD_BLOB_H

#include <pthread.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>

#include "name.h"
#include "version.h"

/** VOLUME_MAX - longest volume key, in bytes */
#define VOLUME_MAX	255

/**
 * struct blob - an open blob
 * @object_id: the kernel's name for it
 * @dev: the device
 * @fd: where its data is written to
 * @refs: references
 * @jobs: requests, queued and being handled
 * @gone: CLOSE was received: abort requests for it
 * @open: copen was sent; @version is set
 * @stale: sources, as bits, that have another version: they are asked no more
 * @told: that nothing is filled any more was logged
 * @volume: volume key
 * @name: as the kernel gave it, checked
 * @shown: for the log
 * @version: what every byte of it must be of; its place is asked first
 * @validator: the version as the kernel was told
 */
struct blob {
	uint32_t object_id;
	int dev;
	int fd;
	atomic_uint refs;
	atomic_uint jobs;
	atomic_bool gone;
	atomic_bool open;
	atomic_ullong stale;
	atomic_bool told;
	char volume[VOLUME_MAX + 1];
	char name[BLOB_NAME_MAX + 1];
	char shown[BLOB_NAME_MAX * 4 + 1];
	struct version version;
	char validator[VALIDATOR_MAX + 1];
};

/**
 * struct blobs - the table
 * @lock: over @tree
 * @tree: of tsearch(3)
 */
struct blobs {
	pthread_mutex_t lock;
	void *tree;
};

struct blob *blobs_add(struct blobs *blobs, int dev, uint32_t object_id, int fd,
		       const char *volume, const char *name);
struct blob *blobs_get(struct blobs *blobs, uint32_t object_id);
bool blobs_find_open(struct blobs *blobs, const struct blob *like,
		     char validator[static VALIDATOR_MAX + 1]);
int blobs_drop(struct blobs *blobs, uint32_t object_id);
void blobs_drop_all(struct blobs *blobs);
void blob_get(struct blob *blob);
void blob_put(struct blob *blob);

#endif
