/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Making room: a thread of its own removes what was not used for the longest time.
 *
 * It begins when the kernel shows that room is short (EPOLLOUT, below bcull or fcull)
 * and ends above brun and frun; and when the cache has more than --cache-size, until it
 * has nine tenths of that. First goes the graveyard, then whole blobs that nobody
 * uses, the least recently used first, then of blobs in use the parts that were not
 * read for the longest time, and not for --cold seconds. What is pinned stays.
 */
#ifndef ODD_CULL_H
#define ODD_CULL_H

#include <pthread.h>
#include <stdbool.h>
#include <stdint.h>

/** CULL_COLD_S - parts of blobs in use are cold when they were not read for so long */
#define CULL_COLD_S	60

/**
 * struct cull_options - what is to be kept
 * @dir: directory of the cache, or NULL if it is not known
 * @proc: where /proc is
 * @size: bytes that the cache may have, 0 for no limit
 * @cold_s: seconds after which a part of a blob in use is cold
 */
struct cull_options {
	const char *dir;
	const char *proc;
	uint64_t size;
	uint64_t cold_s;
};

/**
 * struct culler - the thread and who talks to it
 * @options: what is to be kept
 * @dev: the device
 * @thread: it
 * @running: it was started
 * @lock: over the rest
 * @changed: of the rest
 * @has_looked: the cache was looked at
 * @wanted: room is short
 * @stopping: it is to end
 * @looked: the cache was looked at since the start
 * @looked_ms: when that was, the last time
 * @filled: bytes that the daemon had written to it then
 * @total: bytes that it had
 * @kept: those of blobs that were in use or pinned
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
