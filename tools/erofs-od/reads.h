/* SPDX-License-Identifier: GPL-2.0-only */
/* What reads came to, as the columns of the status files tell it. */
#ifndef OD_READS_H
#define OD_READS_H

#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

#include "human.h"

/** WAITS_MAX - classes of waits that are looked at */
#define WAITS_MAX	64

/**
 * struct waits - how long reads waited for the daemon
 * @classes: how many were shorter than 1 << i ms, and not in a class before
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
