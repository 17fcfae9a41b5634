/* SPDX-License-Identifier: GPL-2.0-only */
/* Reports what a command did to each blob of a cache, as lines of text or as JSON. */
#ifndef OD_REPORT_H
#define OD_REPORT_H

#include <jansson.h>
#include <stdbool.h>

#include "cachedir.h"

/**
 * struct report - results
 * @list: the entries for JSON, or NULL for text
 * @failed: at least one entry reports a failure
 */
struct report {
	json_t *list;
	bool failed;
};

void report_init(struct report *report, bool json);
void report_done(struct report *report, const struct object *object, const char *result,
		 uint64_t bytes);
void report_failed(struct report *report, const struct object *object, const char *result,
		   const char *fmt, ...) __attribute__((format(printf, 4, 5)));
int report_end(struct report *report, int err);

#endif
