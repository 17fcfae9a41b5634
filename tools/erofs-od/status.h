/* SPDX-License-Identifier: GPL-2.0-only */
/* All that the kernel tells of mounts, blobs and requests, put together. */
#ifndef OD_STATUS_H
#define OD_STATUS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "table.h"

/**
 * struct blob_use - a blob of a mount
 * @row: in the table of blobs
 * @found: the cache has the blob: without it @row means nothing
 * @mount_row: in the table of mounts
 */
struct blob_use {
	size_t row;
	bool found;
	size_t mount_row;
};

/**
 * struct mounted - an image that is mounted
 * @dev: MAJOR:MINOR
 * @fsid: name
 * @domain: or "-"
 * @type: file system type, "-" if it is mounted in another namespace only
 * @targets: mount points
 * @target_count: how many
 * @blobs: its blobs
 * @blob_count: how many
 * @size: bytes of all blobs
 * @present: of these in the cache
 * @waiting: reads that wait for the daemon
 * @oldest_ms: age of the oldest request for one of its blobs
 */
struct mounted {
	const char *dev;
	const char *fsid;
	const char *domain;
	char *type;
	char **targets;
	size_t target_count;
	struct blob_use *blobs;
	size_t blob_count;
	uint64_t size;
	uint64_t present;
	uint64_t waiting;
	uint64_t oldest_ms;
};

/**
 * struct status - everything
 * @cache: names and values
 * @blobs: blobs of the cache
 * @requests: what the daemon is asked for now
 * @uses: mounts and their blobs
 * @pins: names of pinned blobs, sorted
 * @pin_count: how many
 * @mounts: the same, one per mount
 * @mount_count: how many
 */
struct status {
	struct table cache;
	struct table blobs;
	struct table requests;
	struct table uses;
	char **pins;
	size_t pin_count;
	struct mounted *mounts;
	size_t mount_count;
};

int status_load(struct status *status, const char *proc, const char **missing);
void status_free(struct status *status);
const char *status_daemon(const struct status *status);
void status_show(const struct status *status, bool verbose, FILE *out);
int status_json(const struct status *status, FILE *out);

#endif
