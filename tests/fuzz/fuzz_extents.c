// SPDX-License-Identifier: GPL-2.0-only
/*
 * The presence map against an array of flags. The input: room for runs, unit, base,
 * then an operation and its two positions in three bytes each.
 */
#include "fuzz.h"
#include "cachefiles_od/core/extents.h"

#define CELLS	256
/* More are slow, and find nothing new. */
#define STEPS	300

struct oracle {
	u64 base, unit;
	bool present[CELLS + 1];	/* the last is past all, and absent */
};

static u64 position(const struct oracle *o, unsigned int cell)
{
	return o->base + cell * o->unit;
}

/* The first cell after @cell with a different state, or CELLS. */
static unsigned int run_end(const struct oracle *o, unsigned int cell)
{
	unsigned int end = cell;

	while (end < CELLS && o->present[end] == o->present[cell])
		end++;
	return end;
}

static size_t runs(const struct oracle *o)
{
	unsigned int cell;
	size_t nr = 0;

	for (cell = 0; cell < CELLS; cell = run_end(o, cell))
		nr += o->present[cell];
	return nr;
}

/* Runs are sorted, do not touch, and cover exactly the present cells. */
static void check_map(const struct od_extents *x, const struct oracle *o)
{
	unsigned int cell = 0;
	u64 bytes = 0;
	size_t i;

	must(x->nr <= x->cap && x->nr == runs(o));
	for (i = 0; i < x->nr; i++) {
		if (!o->present[cell])
			cell = run_end(o, cell);
		must(cell < CELLS && x->e[i].start == position(o, cell));
		cell = run_end(o, cell);
		must(x->e[i].end == position(o, cell));
		bytes += x->e[i].end - x->e[i].start;
	}
	must(x->bytes == bytes);
}

static void add(struct od_extents *x, struct oracle *o, unsigned int from, unsigned int to)
{
	struct oracle after = *o;
	unsigned int cell;
	int err = od_extents_add(x, position(o, from), position(o, to));

	for (cell = from; cell < to; cell++)
		after.present[cell] = true;
	must(err == (runs(&after) > x->cap ? -ENOSPC : 0));
	if (!err)
		*o = after;
	check_map(x, o);
}

static void take(struct od_extents *x, struct oracle *o, unsigned int from, unsigned int to)
{
	struct oracle after = *o;
	unsigned int cell;
	int err = od_extents_remove(x, position(o, from), position(o, to));

	for (cell = from; cell < to; cell++)
		after.present[cell] = false;
	must(err == (runs(&after) > x->cap ? -ENOSPC : 0));
	if (!err)
		*o = after;
	check_map(x, o);
}

static void ask(const struct od_extents *x, const struct oracle *o, unsigned int from,
		unsigned int to)
{
	unsigned int cell, end = run_end(o, from), absent = 0;
	u64 got;

	must(od_extents_run(x, position(o, from), &got) == o->present[from]);
	/* Nothing follows the last run. */
	must(got == (end == CELLS && !o->present[from] ? ~(u64)0 : position(o, end)));

	for (cell = from; cell < to; cell++)
		absent += !o->present[cell];
	must(od_extents_covers(x, position(o, from), position(o, to)) == !absent);
	must(od_extents_missing(x, position(o, from), position(o, to)) == absent * o->unit);
}

int LLVMFuzzerTestOneInput(const u8 *data, size_t size)
{
	struct feed feed = { data, size };
	size_t cap = feed8(&feed) % 40;
	struct od_extents x = { .e = malloc(cap * sizeof(*x.e)), .cap = cap };
	struct oracle o = { .unit = 1ULL << feed8(&feed) % 54 };
	int steps;

	if (feed8(&feed) & 1)
		o.base = ~(u64)0 - CELLS * o.unit;
	for (steps = 0; feed.left && steps < STEPS; steps++) {
		u8 what = feed8(&feed);
		unsigned int from = feed8(&feed), to = feed8(&feed);

		if (what % 16 == 1 || what % 16 == 13)
			take(&x, &o, from, to + (what >> 4) % 2);
		else if (what % 2)
			add(&x, &o, from, to + (what >> 1) % 2);
		else
			ask(&x, &o, from, to);
	}
	free(x.e);
	return 0;
}
