/* SPDX-License-Identifier: GPL-2.0-only */
/* Read statistics, from the columns of the status files. */
#ifndef OD_READS_H
#define OD_READS_H

#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

#include "human.h"

/** WAITS_MAX - maximum number of classes of waits */
#define WAITS_MAX	64

/**
 * struct waits - how long reads waited for the daemon
 * @classes: number of waits shorter than 1 << i ms and not in an earlier class
 * @count: number of @classes; the last one has all that were longer
 * @total: sum of @classes
 */
struct waits {
	uint64_t classes[WAITS_MAX];
	size_t count;
	uint64_t total;
};

void waits_parse(struct waits *waits, const char *text);
char *waits_part(const struct waits *waits, unsigned int percent, char buf[static HUMAN_SIZE]);

struct status;

void reads_show_cache(const struct status *status, size_t cache, FILE *out);
void reads_show(const struct status *status, FILE *out);

#endif
