/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Culling: a separate thread removes the least recently used data.
 *
 * It starts when the kernel reports that space is short (EPOLLOUT, below bcull or fcull) and
 * ends above brun and frun; and when the cache exceeds --cache-size, until it is down to nine
 * tenths of that. It first empties the graveyard, then removes unused blobs, the least recently
 * used first, then punches the least recently read parts of blobs in use that were not read for
 * --cold seconds. Pinned blobs stay.
 */
#ifndef ODD_CULL_H
#define ODD_CULL_H

#include <pthread.h>
#include <stdbool.h>
#include <stdint.h>

/** CULL_COLD_S - parts of blobs in use are cold if not read for this many seconds */
#define CULL_COLD_S	60

/**
 * struct cull_options - limits and settings
 * @dir: directory of the cache, or NULL if it is not known
 * @proc: path of /proc
 * @size: maximum size of the cache in bytes, 0 for no limit
 * @cold_s: seconds after which a part of a blob in use is cold
 */
struct cull_options {
	const char *dir;
	const char *proc;
	uint64_t size;
	uint64_t cold_s;
};

/**
 * struct culler - the culling thread
 * @options: limits and settings
 * @dev: the device
 * @thread: the thread
 * @running: it was started
 * @lock: protects the rest
 * @changed: signaled when the rest changes
 * @has_looked: the cache was scanned
 * @wanted: space is short
 * @stopping: the thread has to exit
 * @looked: the cache was scanned since the start
 * @looked_ms: time of the last scan
 * @filled: bytes that the daemon had written to the cache then
 * @total: bytes in the cache then
 * @kept: those of blobs in use or pinned
 */
struct culler {
	const struct cull_options *options;
	int dev;
	pthread_t thread;
	bool running;
	pthread_mutex_t lock;
	pthread_cond_t changed, has_looked;
	bool wanted;
	bool stopping;
	bool looked;
	uint64_t looked_ms, filled, total, kept;
};

int culler_start(struct culler *culler, const struct cull_options *options, int dev);
void culler_wake(struct culler *culler);
bool culler_has_room(struct culler *culler, uint64_t bytes);
void culler_stop(struct culler *culler);

#endif
