// SPDX-License-Identifier: GPL-2.0-only
#include "datamap.h"

static_assert(sizeof(struct od_datarun) == 24);
static_assert(sizeof(struct od_datamap) == 32);

static struct od_datarun *od_datamap_last(struct od_datamap *map)
{
	return map->nr ? &map->run[map->nr - 1] : NULL;
}

static struct od_datarun *od_datamap_new(struct od_datamap *map, u32 max)
{
	if (map->nr >= max || map->tail)
		return NULL;
	return &map->run[map->nr++];
}

int od_datamap_add(struct od_datamap *map, u32 max, u64 blob, u64 off, u64 len)
{
	struct od_datarun *run = od_datamap_last(map);

	if (blob == OD_DATARUN_HOLE)
		off = 0;
	if (run && run->blob == blob && !map->tail &&
	    (blob == OD_DATARUN_HOLE || run->off + run->len == off)) {
		run->len += len;
		return 0;
	}
	run = od_datamap_new(map, max);
	if (!run)
		return -E2BIG;
	*run = (struct od_datarun) { .blob = blob, .off = off, .len = len };
	return 0;
}

u8 *od_datamap_add_tail(struct od_datamap *map, u32 max, u32 len)
{
	struct od_datarun *run = od_datamap_new(map, max);

	if (!run)
		return NULL;
	*run = (struct od_datarun) { .blob = OD_DATARUN_INLINE, .len = len };
	map->tail = len;
	return (u8 *)(run + 1);
}

bool od_datamap_equal(const struct od_datamap *a, const struct od_datamap *b)
{
	/* The lengths are in the header, which both have. */
	return !memcmp(a, b, sizeof(*a)) &&
	       !memcmp(a->run, b->run, od_datamap_bytes(a->nr, a->tail) - sizeof(*a));
}
