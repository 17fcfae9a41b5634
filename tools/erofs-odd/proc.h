/* SPDX-License-Identifier: GPL-2.0-only */
/* Status of the module in /proc/fs/cachefiles_od. */
#ifndef ODD_PROC_H
#define ODD_PROC_H

#include <pthread.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "table.h"

/**
 * struct wanted - the requests that readers wait for, as of recently
 * @proc: path of /proc
 * @lock: protects the rest
 * @ids: message IDs, sorted
 * @count: number of @ids
 * @read_ms: when they were read; 0: not yet
 * @known: reading them succeeded
 */
struct wanted {
	const char *proc;
	pthread_mutex_t lock;
	uint32_t *ids;
	size_t count;
	uint64_t read_ms;
	bool known;
};

void wanted_init(struct wanted *wanted, const char *proc);
void wanted_exit(struct wanted *wanted);
bool wanted_still(struct wanted *wanted, uint32_t msg_id, uint64_t came_ms);
int proc_own_cache(const char *proc, int dev, struct table *caches, size_t *row);
int proc_cache_dir(const char *proc, int dev, char *dir, size_t size);

#endif
