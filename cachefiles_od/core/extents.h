/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The presence map: which bytes of a blob are in its cache file.
 *
 * Extents are kept sorted, apart from each other and in one array, so that a
 * look-up is a binary search and the memory of a blob can be told: 16 bytes
 * for each separate run of present data.
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
 * @e: the runs; memory of the caller
 * @nr: runs in use
 * @cap: runs that @e has room for
 * @bytes: bytes in all runs; add and remove keep it
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
 * Return: 0, or -ENOSPC when one more run is needed than @x has room for;
 * nothing was changed then.
 */
int od_extents_add(struct od_extents *x, u64 start, u64 end);

/**
 * od_extents_remove - mark a range absent
 * @x: the map
 * @start: first byte
 * @end: first byte past it; nothing happens unless it is above @start
 *
 * Return: 0, or -ENOSPC when a run has to be split and @x has no room for one
 * more; nothing was changed then.
 */
int od_extents_remove(struct od_extents *x, u64 start, u64 end);

/**
 * od_extents_run - how far does what is at a position go on?
 * @x: the map
 * @pos: a position
 * @end: gets the first position past @pos that differs from it, ~0 for none
 *
 * Return: true when @pos is present.
 */
bool od_extents_run(const struct od_extents *x, u64 pos, u64 *end);

/**
 * od_extents_covers - is a whole range present?
 * @x: the map
 * @start: first byte
 * @end: first byte past it; an empty range is present
 */
bool od_extents_covers(const struct od_extents *x, u64 start, u64 end);

/**
 * od_extents_missing - how many bytes of a range are absent?
 * @x: the map
 * @start: first byte
 * @end: first byte past it
 */
u64 od_extents_missing(const struct od_extents *x, u64 start, u64 end);

#endif /* OD_CORE_EXTENTS_H */
