// SPDX-License-Identifier: GPL-2.0-only
#include "plan.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

/**
 * plan_init - plan a whole trace
 * @plan: set; call plan_free() in any case
 * @trace: a valid one, owned by the plan from now on
 *
 * Return: 0 or -ENOMEM
 */
int plan_init(struct plan *plan, struct trace *trace)
{
	uint32_t i;

	memset(plan, 0, sizeof(*plan));
	plan->trace = *trace;
	memset(trace, 0, sizeof(*trace));
	plan->sorted = trace_sort(&plan->trace);
	plan->place = calloc((size_t)plan->trace.nr_ranges + 1, sizeof(*plan->place));
	if (!plan->sorted || !plan->place)
		return -ENOMEM;
	for (i = 0; i < plan->trace.nr_ranges; i++)
		plan->place[plan->sorted[i]] = i;
	return 0;
}

void plan_free(struct plan *plan)
{
	trace_free(&plan->trace);
	free(plan->sorted);
	free(plan->place);
	memset(plan, 0, sizeof(*plan));
}

static struct trace_range *range_at(const struct plan *plan, unsigned int place)
{
	return &plan->trace.ranges[plan->sorted[place]];
}

static bool is_left(const struct trace_range *range)
{
	return range->off < range->end;
}

/** plan_peek - get the index of the next blob, or -1 if nothing is left */
int plan_peek(struct plan *plan)
{
	while (plan->next < plan->trace.nr_ranges && !is_left(&plan->trace.ranges[plan->next]))
		plan->next++;
	return plan->next < plan->trace.nr_ranges ?
	       (int)plan->trace.ranges[plan->next].blob : -1;
}

/* The first range that comes too late in the trace to be in the same request. */
static unsigned int find_limit(const struct plan *plan)
{
	uint64_t sum = 0;
	unsigned int i;

	for (i = plan->next; i < plan->trace.nr_ranges && sum < PLAN_AHEAD; i++)
		sum += plan->trace.ranges[i].end - plan->trace.ranges[i].off;
	return i;
}

static void extend_back(const struct plan *plan, unsigned int place, unsigned int limit,
			struct trace_range *request)
{
	uint64_t first = request->off;

	while (place-- > 0) {
		const struct trace_range *range = range_at(plan, place);

		if (range->blob != request->blob || first - range->off > PLAN_LEAD ||
		    request->off - range->end > PLAN_GAP)
			break;
		if (is_left(range) && plan->sorted[place] < limit)
			request->off = range->off;
	}
}

static void extend(const struct plan *plan, unsigned int place, unsigned int limit, uint64_t max,
		   struct trace_range *request)
{
	while (++place < plan->trace.nr_ranges && request->end < max) {
		const struct trace_range *range = range_at(plan, place);

		if (range->blob != request->blob || range->off >= max ||
		    range->off - request->end > PLAN_GAP)
			break;
		if (is_left(range) && plan->sorted[place] < limit)
			request->end = range->end < max ? range->end : max;
	}
}

/**
 * plan_next - make the next request
 * @plan: the plan
 * @max: its maximum bytes, not counting what precedes the next range of the trace
 * @request: set
 *
 * What the request contains is removed from the plan.
 *
 * Return: false if nothing is left
 */
bool plan_next(struct plan *plan, uint64_t max, struct trace_range *request)
{
	unsigned int place, limit;

	if (plan_peek(plan) < 0)
		return false;
	place = plan->place[plan->next];
	limit = find_limit(plan);
	*request = plan->trace.ranges[plan->next];
	max = request->off + max / TRACE_BLOCK * TRACE_BLOCK;
	if (request->end > max)
		request->end = max;
	else
		extend(plan, place, limit, max, request);
	extend_back(plan, place, limit, request);
	plan_skip(plan, request->blob, request->off, request->end);
	return true;
}

/* Index of the first range of a blob that ends after @off. */
static unsigned int find(const struct plan *plan, unsigned int blob, uint64_t off)
{
	unsigned int low = 0, high = plan->trace.nr_ranges;

	while (low < high) {
		unsigned int middle = low + (high - low) / 2;
		const struct trace_range *range = range_at(plan, middle);

		if (range->blob < blob || (range->blob == blob && range->end <= off))
			low = middle + 1;
		else
			high = middle;
	}
	return low;
}

/* Removes whole blocks only: requests consist of blocks. */
static void cut(struct trace_range *range, uint64_t off, uint64_t end)
{
	if (off <= range->off && end >= range->end)
		range->off = range->end;
	else if (off <= range->off && end > range->off)
		range->off = end - end % TRACE_BLOCK;
	else if (end >= range->end && range->end - off >= TRACE_BLOCK)
		range->end = (off + TRACE_BLOCK - 1) / TRACE_BLOCK * TRACE_BLOCK;
}

/**
 * plan_skip - skip bytes that are present or requested otherwise
 * @plan: the plan
 * @blob: index of their blob
 * @off: first byte
 * @end: byte after the last one
 *
 * Bytes in the middle of a range are fetched anyway.
 */
void plan_skip(struct plan *plan, unsigned int blob, uint64_t off, uint64_t end)
{
	unsigned int place = find(plan, blob, off);
	struct trace_range *range;

	for (; place < plan->trace.nr_ranges; place++) {
		range = range_at(plan, place);
		if (range->blob != blob || range->off >= end)
			break;
		if (is_left(range))
			cut(range, off, end);
	}
}

/** plan_skip_blob - fetch nothing more of a blob */
void plan_skip_blob(struct plan *plan, unsigned int blob)
{
	plan_skip(plan, blob, 0, UINT64_MAX);
}

/** plan_end - end of the pending range that contains @off; 0 if there is none */
uint64_t plan_end(const struct plan *plan, unsigned int blob, uint64_t off)
{
	unsigned int place = find(plan, blob, off);
	const struct trace_range *range;

	if (place == plan->trace.nr_ranges)
		return 0;
	range = range_at(plan, place);
	return range->blob == blob && range->off <= off && is_left(range) ? range->end : 0;
}
