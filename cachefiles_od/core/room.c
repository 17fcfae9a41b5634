// SPDX-License-Identifier: GPL-2.0-only
#include "room.h"

static u64 od_add_capped(u64 a, u64 b)
{
	u64 sum;

	return check_add_overflow(a, b, &sum) ? ~(u64)0 : sum;
}

/* Best estimate of the blocks free now. */
static u64 od_room_blocks_free(const struct od_room_meter *meter)
{
	unsigned int shift = meter->count.block_shift;
	u64 free = od_add_capped(meter->count.blocks_free, meter->freed >> shift);
	u64 used = od_add_capped(meter->stored, meter->claimed) >> shift;

	return used < free ? free - used : 0;
}

static enum od_room od_room_worse(enum od_room a, enum od_room b)
{
	return a > b ? a : b;
}

/* Once there is none, require some more before resuming, to avoid flapping. */
static struct od_limit od_room_limit(const struct od_room_meter *meter,
				     const struct od_limit *limit)
{
	struct od_limit now = *limit;

	if (meter->room == OD_ROOM_NONE)
		now.stop += (limit->cull - limit->stop) / 2;
	return now;
}

static enum od_room od_room_now(const struct od_room_meter *meter, const struct od_limit *blocks,
				const struct od_limit *files)
{
	const struct od_limit b = od_room_limit(meter, blocks), f = od_room_limit(meter, files);

	return od_room_worse(od_limit_room(&b, meter->count.blocks, od_room_blocks_free(meter)),
			     od_limit_room(&f, meter->count.files, meter->count.files_free));
}

static bool od_room_update(struct od_room_meter *meter, const struct od_limit *blocks,
			   const struct od_limit *files, bool may_end)
{
	bool was_culling = meter->culling;

	meter->room = meter->full ? OD_ROOM_NONE : od_room_now(meter, blocks, files);
	if (meter->room >= OD_ROOM_SCARCE)
		meter->culling = true;
	else if (meter->room == OD_ROOM_PLENTY && may_end)
		meter->culling = false;
	return meter->culling && !was_culling;
}

bool od_room_count(struct od_room_meter *meter, const struct od_room_count *count,
		   const struct od_limit *blocks, const struct od_limit *files)
{
	meter->count = *count;
	meter->stored = 0;
	meter->freed = 0;
	meter->full = false;
	return od_room_update(meter, blocks, files, true);
}

bool od_room_change(struct od_room_meter *meter, u64 stored, u64 freed,
		    const struct od_limit *blocks, const struct od_limit *files)
{
	meter->stored = od_add_capped(meter->stored, stored);
	meter->freed = od_add_capped(meter->freed, freed);
	return od_room_update(meter, blocks, files, false);
}

bool od_room_claim(struct od_room_meter *meter, u64 bytes, const struct od_limit *blocks,
		   const struct od_limit *files, bool *begin)
{
	u64 before = meter->claimed;

	meter->claimed = od_add_capped(before, bytes);
	*begin = od_room_update(meter, blocks, files, false);
	if (meter->room != OD_ROOM_NONE)
		return true;
	meter->claimed = before;
	meter->full = true;
	return false;
}

bool od_room_settle(struct od_room_meter *meter, u64 bytes, u64 stored,
		    const struct od_limit *blocks, const struct od_limit *files)
{
	meter->claimed -= min(meter->claimed, bytes);
	return od_room_change(meter, stored, 0, blocks, files);
}

bool od_room_full(struct od_room_meter *meter)
{
	bool was_culling = meter->culling;

	meter->full = true;
	meter->room = OD_ROOM_NONE;
	meter->culling = true;
	return !was_culling;
}

unsigned int od_region_shift(u64 size)
{
	unsigned int shift = OD_REGION_SHIFT_MIN;

	while (size > (u64)OD_REGIONS << shift)
		shift++;
	return shift;
}
