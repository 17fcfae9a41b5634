// SPDX-License-Identifier: GPL-2.0-only
/* Traces, which are untrusted, and the requests made from them: the input is a file. */
#include "fuzz.h"
#include "plan.h"

#define REQUEST_MAX	(256U << 10)

static bool overlap(const struct trace_range *a, const struct trace_range *b)
{
	return a->blob == b->blob && a->off < b->end && b->off < a->end;
}

static void check_ranges(const struct trace *trace)
{
	unsigned int i, k;

	must(trace->nr_blobs <= TRACE_BLOBS_MAX && trace->nr_ranges <= TRACE_RANGES_MAX);
	for (i = 0; i < trace->nr_ranges; i++) {
		const struct trace_range *range = &trace->ranges[i];

		must(range->blob < trace->nr_blobs && range->off < range->end);
		must(range->end <= trace->blobs[range->blob].size);
		must(!(range->off % TRACE_BLOCK));
		for (k = 0; k < i; k++)
			must(!overlap(range, &trace->ranges[k]));
	}
}

/* Printed text is parsed as the same trace. */
static void check_text(const struct trace *trace)
{
	struct trace again;
	const char *why;
	char *text, *same;
	size_t len;
	FILE *out = open_memstream(&text, &len);

	must(!trace_print(trace, out));
	fclose(out);
	must(len <= TRACE_TEXT_MAX && !trace_parse(&again, text, len, &why));
	out = open_memstream(&same, &len);
	must(!trace_print(&again, out));
	fclose(out);
	must(!strcmp(text, same));
	trace_free(&again);
	free(text);
	free(same);
}

/* Recording the same ranges again, in any order, adds nothing. */
static void check_record(const struct trace *trace)
{
	struct trace copy = { 0 };
	unsigned int i;

	for (i = 0; i < trace->nr_blobs; i++)
		must(trace_blob(&copy, trace->blobs[i].name, trace->blobs[i].size) == (int)i);
	for (i = 0; i < 2 * trace->nr_ranges; i++) {
		const struct trace_range *range = &trace->ranges[i % trace->nr_ranges];

		must(!trace_add(&copy, range->blob, range->off, range->end));
	}
	check_ranges(&copy);
	must(trace_bytes(&copy) == trace_bytes(trace));
	trace_free(&copy);
}

/* Each range is in requests, which lie in their blobs and are not too long. */
static void check_plan(struct trace *trace)
{
	uint64_t left = trace_bytes(trace), now;
	struct trace_range request;
	unsigned int rounds = 0;
	struct plan plan;

	must(!plan_init(&plan, trace));
	/* More rounds would take too long. */
	while (rounds++ < 1000 && plan_next(&plan, REQUEST_MAX, &request)) {
		must(request.off < request.end && !(request.off % TRACE_BLOCK));
		must(request.end <= plan.trace.blobs[request.blob].size);
		must(request.end - request.off <= REQUEST_MAX + PLAN_LEAD);
		must(!plan_end(&plan, request.blob, request.off));
		now = trace_bytes(&plan.trace);
		must(now < left && left - now <= request.end - request.off);
		left = now;
	}
	must(rounds > 1000 || (!left && plan_peek(&plan) < 0));
	plan_free(&plan);
}

int LLVMFuzzerTestOneInput(const u8 *data, size_t size)
{
	char *text = malloc(size + 1);
	struct trace trace;
	const char *why = NULL;

	memcpy(text, data, size);
	text[size] = '\0';
	if (trace_parse(&trace, text, size, &why)) {
		must(why && !trace.blobs && !trace.ranges);
	} else {
		check_ranges(&trace);
		check_text(&trace);
		check_record(&trace);
		check_plan(&trace);
	}
	free(text);
	return 0;
}
