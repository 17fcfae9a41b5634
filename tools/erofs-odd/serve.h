/* SPDX-License-Identifier: GPL-2.0-only */
/* The daemon's main loop: messages in, replies out. */
#ifndef ODD_SERVE_H
#define ODD_SERVE_H

#include "cull.h"
#include "metrics.h"
#include "source.h"

/**
 * struct serve_options - how to serve
 * @dev: the device, live
 * @wide: the kernel took the command "wide", so it knows validators, too
 * @sources: where blobs come from
 * @threads: how many requests are handled at once, for each source
 * @queue_max: how many requests may wait
 * @dir: the cache's directory, or NULL if it is not known
 * @proc: where /proc is
 * @no_prefetch: fetch nothing before it is wanted
 * @fetch: patience with sources
 * @stats_path: file for the counters, or NULL
 * @cull: what the cache may keep
 * @metrics: who may look at the counters
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
