/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The presence map: which bytes of a blob are in its cache file.
 *
 * Runs are sorted, not adjacent, and in one array: a lookup is a binary search, and each
 * separate run of present data takes 16 bytes.
 */
#ifndef OD_CORE_EXTENTS_H
#define OD_CORE_EXTENTS_H

#include "od/types.h"

/**
 * struct od_range - bytes of a blob
 * @start: first byte
 * @end: first byte past the last; a run of a presence map is not empty
 */
struct od_range {
	u64 start, end;
};

/**
 * struct od_extents - a presence map
 * @e: the runs; the caller's memory
 * @nr: runs in use
 * @cap: capacity of @e, in runs
 * @bytes: bytes in all runs, maintained by add and remove
 */
struct od_extents {
	struct od_range *e;
	size_t nr, cap;
	u64 bytes;
};

/**
 * od_extents_add - mark a range present
 * @x: the map
 * @start: first byte
 * @end: first byte past it; nothing happens unless it is above @start
 *
 * Return: 0, or -ENOSPC if @x is full and one more run is needed; nothing is changed then.
 */
int od_extents_add(struct od_extents *x, u64 start, u64 end);

/**
 * od_extents_remove - mark a range absent
 * @x: the map
 * @start: first byte
 * @end: first byte past it; nothing happens unless it is above @start
 *
 * Return: 0, or -ENOSPC if a run has to be split and @x is full; nothing is changed then.
 */
int od_extents_remove(struct od_extents *x, u64 start, u64 end);

/**
 * od_extents_run - find the end of the run, present or absent, at a position
 * @x: the map
 * @pos: a position
 * @end: set to the end of the run, ~0 if it is unlimited
 *
 * Return: true if @pos is present.
 */
bool od_extents_run(const struct od_extents *x, u64 pos, u64 *end);

/**
 * od_extents_touches - whether any byte of a range is present
 * @x: the map
 * @start: first byte
 * @end: first byte past it; an empty range is absent
 */
bool od_extents_touches(const struct od_extents *x, u64 start, u64 end);

/**
 * od_extents_covers - whether a whole range is present
 * @x: the map
 * @start: first byte
 * @end: first byte past it; an empty range is present
 */
bool od_extents_covers(const struct od_extents *x, u64 start, u64 end);

/**
 * od_extents_missing - number of absent bytes in a range
 * @x: the map
 * @start: first byte
 * @end: first byte past it
 */
u64 od_extents_missing(const struct od_extents *x, u64 start, u64 end);

#endif /* OD_CORE_EXTENTS_H */
