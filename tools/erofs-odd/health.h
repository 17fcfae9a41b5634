/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Health of sources: one that failed recently is asked last, and one that asked for a pause is
 * not asked before it is over.
 */
#ifndef ODD_HEALTH_H
#define ODD_HEALTH_H

#include <pthread.h>
#include <stdbool.h>
#include <stdint.h>

/**
 * struct health - health of one source
 * @lock: protects the rest
 * @sick_ms: how long it is asked last after a failure; 0: it works
 * @sick_until: monotonic milliseconds
 * @pause_until: monotonic milliseconds
 * @sick_since: monotonic milliseconds
 */
struct health {
	pthread_mutex_t lock;
	uint64_t sick_ms;
	uint64_t sick_until;
	uint64_t pause_until;
	uint64_t sick_since;
};

void health_init(struct health *health);
bool health_good(struct health *health, uint64_t *sick_for);
bool health_failed(struct health *health, unsigned long pause_ms);
bool health_is_sick(struct health *health);
void health_try(struct health *health);
uint64_t health_pause(struct health *health);

#endif
