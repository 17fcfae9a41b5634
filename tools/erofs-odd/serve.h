/* SPDX-License-Identifier: GPL-2.0-only */
/* The daemon's main loop: messages in, replies out. */
#ifndef ODD_SERVE_H
#define ODD_SERVE_H

#include "cull.h"
#include "metrics.h"
#include "source.h"

/**
 * struct serve_options - options of the daemon
 * @dev: the device, live
 * @wide: the kernel accepted the command "wide", so it supports validators, too
 * @sources: where blobs come from
 * @threads: number of requests handled at once per source
 * @queue_max: maximum number of queued requests
 * @dir: the cache's directory, or NULL if it is not known
 * @proc: path of /proc
 * @no_prefetch: do not prefetch
 * @fetch: timeouts and retries
 * @stats_path: file for the counters, or NULL
 * @cull: limits of the cache
 * @metrics: where to serve counters
 */
struct serve_options {
	int dev;
	bool wide;
	struct source *sources;
	unsigned int threads;
	unsigned int queue_max;
	const char *dir;
	const char *proc;
	bool no_prefetch;
	struct fetch_options fetch;
	const char *stats_path;
	struct cull_options cull;
	struct metrics metrics;
};

void serve_block_signals(void);
int serve(struct serve_options *options);

#endif
