/* SPDX-License-Identifier: GPL-2.0-only */
/* Remembers what was logged, in bounded memory. */
#ifndef ODD_TOLD_H
#define ODD_TOLD_H

#include <pthread.h>
#include <stdbool.h>
#include <stdint.h>

/** TOLD_MAX - number of entries; a new one replaces the oldest */
#define TOLD_MAX	256

/**
 * struct told - what was logged
 * @lock: protects the others
 * @hashes: hashes of what was logged
 * @next: index of the next one
 */
struct told {
	pthread_mutex_t lock;
	uint64_t hashes[TOLD_MAX];
	unsigned int next;
};

bool told_before(struct told *told, const char *subject, const char *what);

#endif
