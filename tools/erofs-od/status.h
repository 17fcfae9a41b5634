/* SPDX-License-Identifier: GPL-2.0-only */
/* Mounts, blobs and requests, put together from the status files of the modules. */
#ifndef OD_STATUS_H
#define OD_STATUS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "table.h"
#include "users.h"

/**
 * struct blob_use - a blob of a mount
 * @row: in the table of blobs
 * @found: the cache has the blob; @row is valid
 * @mount_row: in the table of mounts
 */
struct blob_use {
	size_t row;
	bool found;
	size_t mount_row;
};

/**
 * struct mounted - a mounted image
 * @dev: MAJOR:MINOR
 * @fsid: name
 * @domain: or "-"
 * @type: file system type, "-" if it is mounted in another namespace only
 * @targets: mount points
 * @target_count: number of @targets
 * @blobs: its blobs
 * @blob_count: number of @blobs
 * @size: bytes of all blobs
 * @present: bytes of these that are cached
 * @waiting: number of reads that wait for the daemon
 * @oldest_ms: age of the oldest request for one of its blobs, in milliseconds
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
 * struct pins - the pins of a cache
 * @names: names of pinned blobs, sorted
 * @count: number of @names
 */
struct pins {
	char **names;
	size_t count;
};

/**
 * struct status - state of both modules
 * @users: processes that use mounts and caches; status_load_users()
 * @cache: names and values of the cache that mounts join by default
 * @caches: all caches; no rows if none is bound, or the module has one cache only
 * @pins: pins of each of the status_caches()
 * @blobs: blobs of all caches
 * @requests: requests that the daemons have not completed
 * @uses: mounts and their blobs
 * @reads: read statistics of each mount; no rows unless root
 * @mounts: the same, one per mount
 * @mount_count: number of @mounts
 */
struct status {
	struct users users;
	struct table cache;
	struct table caches;
	struct pins *pins;
	struct table blobs;
	struct table requests;
	struct table uses;
	struct table reads;
	struct mounted *mounts;
	size_t mount_count;
};

int status_load(struct status *status, const char *proc, const char **missing);
int status_load_users(struct status *status, const char *proc);
void status_free(struct status *status);
int status_explain(const char *proc, const char *missing, int err);
size_t status_caches(const struct status *status);
const char *status_of_cache(const struct status *status, size_t cache, const char *name);
const char *status_daemon(const struct status *status);
void status_show(const struct status *status, bool verbose, FILE *out);
int status_json(const struct status *status, FILE *out);

#endif
