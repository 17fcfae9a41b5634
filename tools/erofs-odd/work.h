/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * What becomes of a request: it is taken from source to source until one has served it,
 * none can, or its time is up.
 *
 *	submitted -> asked: served -----------------------------> answered
 *	               |  failed: another source is left ------> asked again, there
 *	               |  failed: all were asked, one may come back -> waits, asked again
 *	               |  an OPEN, all is in the cache --------> answered from its record
 *	               |  time is up, or no source can serve it -> answered with an error
 *	               +  aborted (CLOSE, the daemon ends) -----> not answered
 */
#ifndef ODD_WORK_H
#define ODD_WORK_H

#include "blob.h"
#include "pool.h"
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
 * @wanted: what somebody waits for
 * @refused: versions of blobs that the kernel refused, and that was logged
 */
struct work {
	int dev;
	bool wide;
	struct blobs blobs;
	struct pools pools;
	struct cache_dirs dirs;
	struct wanted wanted;
	struct told refused;
};

void work_run(void *arg, struct pool *pool, struct job *job, struct fetcher *fetcher, char *piece);
void work_submit(struct work *work, struct job *job);
void work_refuse_open(struct work *work, uint32_t msg_id, int err);
void work_complete_read(struct blob *blob, uint32_t msg_id);

#endif
