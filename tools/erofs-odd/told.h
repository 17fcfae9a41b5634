/* SPDX-License-Identifier: GPL-2.0-only */
/* What was logged already, in bounded memory. */
#ifndef ODD_TOLD_H
#define ODD_TOLD_H

#include <pthread.h>
#include <stdbool.h>
#include <stdint.h>

/** TOLD_MAX - so many things are remembered; the oldest is forgotten for a new one */
#define TOLD_MAX	256

/**
 * struct told - what was told
 * @lock: over the others
 * @hashes: of what was told
 * @next: where the next one goes
 */
struct told {
	pthread_mutex_t lock;
	uint64_t hashes[TOLD_MAX];
	unsigned int next;
};

bool told_before(struct told *told, const char *subject, const char *what);

#endif
