/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Life of a request: it goes from source to source until one has served it, none can, or
 * its time is up.
 *
 *	submitted -> tried: served ------------------------------> success
 *	               |  failed, another source is left -------> tried there
 *	               |  failed at all sources, one may recover -> waits, tried again
 *	               |  an OPEN, the cache has all data ------> success, from its record
 *	               |  time is up, or no source can serve it -> failed with an errno
 *	               +  aborted (CLOSE, the daemon exits) ----> no reply
 */
#ifndef ODD_WORK_H
#define ODD_WORK_H

#include "blob.h"
#include "pool.h"
#include "prefetch.h"
#include "proc.h"
#include "record.h"
#include "told.h"

/**
 * struct work - what all requests share
 * @dev: the device
 * @wide: the kernel knows validators
 * @blobs: open blobs
 * @pools: workers
 * @dirs: the cache's records
 * @wanted: requests that the kernel still waits for
 * @prefetch: prefetching
 * @culler: culls; NULL: culling is disabled
 * @refused: versions that the kernel rejected, already logged
 */
struct work {
	int dev;
	bool wide;
	struct blobs blobs;
	struct pools pools;
	struct cache_dirs dirs;
	struct wanted wanted;
	struct prefetch prefetch;
	struct culler *culler;
	struct told refused;
};

void work_run(void *arg, struct pool *pool, struct job *job, struct fetcher *fetcher, char *piece);
void work_submit(struct work *work, struct job *job);
void work_refuse_open(struct work *work, uint32_t msg_id, int err);
void work_complete_read(struct blob *blob, uint32_t msg_id);

#endif
