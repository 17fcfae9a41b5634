/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * In which requests a trace is fetched: ranges that lie close together are one request, with
 * what is between them, as long as their turn in the trace is near, too.
 */
#ifndef ODD_PLAN_H
#define ODD_PLAN_H

#include <stdbool.h>

#include "tracefile.h"

/** PLAN_GAP - bytes between ranges that are worth less than another request */
#define PLAN_GAP		(32U << 10)
/** PLAN_LEAD - a request begins so many bytes before the range whose turn it is, at most */
#define PLAN_LEAD		(256U << 10)
/** PLAN_AHEAD - of so many bytes in the order of the trace one request is made */
#define PLAN_AHEAD		(8U << 20)

/**
 * struct plan - a trace, and what of it is left
 * @trace: its ranges; what was asked for is cut off their starts and ends
 * @sorted: indices of ranges by blob and offset
 * @place: where each range is in @sorted
 * @next: no range before this one has anything left
 */
struct plan {
	struct trace trace;
	uint32_t *sorted;
	uint32_t *place;
	unsigned int next;
};

int plan_init(struct plan *plan, struct trace *trace);
void plan_free(struct plan *plan);
int plan_peek(struct plan *plan);
bool plan_next(struct plan *plan, uint64_t max, struct trace_range *request);
void plan_skip(struct plan *plan, unsigned int blob, uint64_t off, uint64_t end);
void plan_skip_blob(struct plan *plan, unsigned int blob);
uint64_t plan_end(const struct plan *plan, unsigned int blob, uint64_t off);

#endif
