/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * How a trace is split into requests: ranges close together are one request, along with the
 * bytes between them, if they are close in the trace, too.
 */
#ifndef ODD_PLAN_H
#define ODD_PLAN_H

#include <stdbool.h>

#include "tracefile.h"

/** PLAN_GAP - largest gap that is cheaper to fetch than another request */
#define PLAN_GAP		(32U << 10)
/** PLAN_LEAD - a request begins at most this many bytes before the next range of the trace */
#define PLAN_LEAD		(256U << 10)
/** PLAN_AHEAD - a request is made from this many bytes in trace order */
#define PLAN_AHEAD		(8U << 20)

/**
 * struct plan - a trace, and what is left to fetch
 * @trace: its ranges; what was requested is cut off their starts and ends
 * @sorted: indices of ranges by blob and offset
 * @place: index of each range in @sorted
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
