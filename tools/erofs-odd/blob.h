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
 * @fd: anonymous fd, for its data
 * @refs: references
 * @jobs: requests, queued and being handled
 * @closed: CLOSE was received: abort requests for it
 * @open: copen was sent; @version is set
 * @stale: bitmap of sources that have another version and are no longer used
 * @told: the line that no more data is fetched was logged
 * @volume: volume key
 * @name: from the kernel, checked
 * @shown: for the log
 * @version: of every byte; its source is tried first
 * @validator: the version as reported to the kernel
 * @next: in its chain of @by_name of the table
 */
struct blob {
	uint32_t object_id;
	int dev;
	int fd;
	atomic_uint refs;
	atomic_uint jobs;
	atomic_bool closed;
	atomic_bool open;
	atomic_ullong stale;
	atomic_bool told;
	const char *volume;
	const char *name;
	const char *shown;
	struct version version;
	char validator[VALIDATOR_MAX + 1];
	struct blob *next;
};

/** BLOBS_CHAINS - chains of blobs by their names: there may be thousands of blobs */
#define BLOBS_CHAINS	1024

/**
 * struct blobs - the table
 * @lock: over the rest
 * @tree: of tsearch(3), by object id
 * @by_name: chains, by a hash of volume and name
 */
struct blobs {
	pthread_mutex_t lock;
	void *tree;
	struct blob *by_name[BLOBS_CHAINS];
};

struct blob *blobs_add(struct blobs *blobs, int dev, uint32_t object_id, int fd,
		       const char *volume, const char *name);
struct blob *blobs_get(struct blobs *blobs, uint32_t object_id);
bool blobs_find_open(struct blobs *blobs, const struct blob *like,
		     char validator[static VALIDATOR_MAX + 1]);
struct blob *blobs_find(struct blobs *blobs, const char *volume, const char *name);
int blobs_drop(struct blobs *blobs, uint32_t object_id);
void blobs_drop_all(struct blobs *blobs);
void blob_get(struct blob *blob);
void blob_put(struct blob *blob);

#endif
