// SPDX-License-Identifier: GPL-2.0-only
#include "extents.h"

/* Index of the first run that ends after pos. */
static size_t od_extents_search(const struct od_extents *x, u64 pos)
{
	size_t lo = 0, hi = x->nr;

	while (lo < hi) {
		size_t mid = lo + (hi - lo) / 2;

		if (x->e[mid].end > pos)
			hi = mid;
		else
			lo = mid + 1;
	}
	return lo;
}

int od_extents_add(struct od_extents *x, u64 start, u64 end)
{
	size_t first, last;
	u64 merged = 0;

	if (start >= end)
		return 0;

	/* Runs [first, last) touch the new one and are merged into it. */
	first = od_extents_search(x, start ? start - 1 : 0);
	for (last = first; last < x->nr && x->e[last].start <= end; last++) {
		merged += x->e[last].end - x->e[last].start;
		start = min(start, x->e[last].start);
		end = max(end, x->e[last].end);
	}
	if (first == last && x->nr == x->cap)
		return -ENOSPC;

	memmove(x->e + first + 1, x->e + last, (x->nr - last) * sizeof(*x->e));
	x->e[first].start = start;
	x->e[first].end = end;
	x->nr = x->nr - (last - first) + 1;
	x->bytes += end - start - merged;
	return 0;
}

/* The range is inside one run, which is split in two. */
static int od_extents_split(struct od_extents *x, size_t i, u64 start, u64 end)
{
	if (x->nr == x->cap)
		return -ENOSPC;
	memmove(x->e + i + 1, x->e + i, (x->nr - i) * sizeof(*x->e));
	x->e[i].end = start;
	x->e[i + 1].start = end;
	x->nr++;
	x->bytes -= end - start;
	return 0;
}

int od_extents_remove(struct od_extents *x, u64 start, u64 end)
{
	size_t first = od_extents_search(x, start), last;

	if (start >= end || first == x->nr || x->e[first].start >= end)
		return 0;
	if (x->e[first].start < start && x->e[first].end > end)
		return od_extents_split(x, first, start, end);

	if (x->e[first].start < start) {
		x->bytes -= x->e[first].end - start;
		x->e[first++].end = start;
	}
	for (last = first; last < x->nr && x->e[last].end <= end; last++)
		x->bytes -= x->e[last].end - x->e[last].start;
	if (last < x->nr && x->e[last].start < end) {
		x->bytes -= end - x->e[last].start;
		x->e[last].start = end;
	}
	memmove(x->e + first, x->e + last, (x->nr - last) * sizeof(*x->e));
	x->nr -= last - first;
	return 0;
}

bool od_extents_run(const struct od_extents *x, u64 pos, u64 *end)
{
	size_t i = od_extents_search(x, pos);

	if (i == x->nr) {
		*end = U64_MAX;
		return false;
	}
	if (x->e[i].start <= pos) {
		*end = x->e[i].end;
		return true;
	}
	*end = x->e[i].start;
	return false;
}

bool od_extents_touches(const struct od_extents *x, u64 start, u64 end)
{
	size_t i = od_extents_search(x, start);

	return start < end && i < x->nr && x->e[i].start < end;
}

bool od_extents_covers(const struct od_extents *x, u64 start, u64 end)
{
	u64 run_end;

	return start >= end || (od_extents_run(x, start, &run_end) && run_end >= end);
}

u64 od_extents_missing(const struct od_extents *x, u64 start, u64 end)
{
	u64 missing = 0, run_end;

	for (; start < end; start = run_end) {
		bool present = od_extents_run(x, start, &run_end);

		run_end = min(run_end, end);
		if (!present)
			missing += run_end - start;
	}
	return missing;
}
