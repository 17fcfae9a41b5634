// SPDX-License-Identifier: GPL-2.0-only
/* Free space classes, compared with wider arithmetic. The input: three limits, total, free. */
#include "fuzz.h"
#include "cachefiles_od/core/limit.h"

static enum od_room room(const struct od_limit *limit, u64 total, u64 free)
{
	unsigned __int128 have = (unsigned __int128)free * 100, whole = total;

	if (have >= whole * limit->run)
		return OD_ROOM_PLENTY;
	if (have >= whole * limit->cull)
		return OD_ROOM_SOME;
	return have >= whole * limit->stop ? OD_ROOM_SCARCE : OD_ROOM_NONE;
}

static u64 less(u64 v, u64 by)
{
	return v > by ? v - by : 0;
}

static void check_room(const struct od_limit *limit, u64 total, u64 free)
{
	/* The effect of the low bits that are dropped for a huge total. */
	u64 slack = total > ~(u64)0 / 128 ? 128 : 0;
	enum od_room got = od_limit_room(limit, total, free);

	if (free > total)
		free = total;
	must(got <= room(limit, total, less(free, slack)));
	must(got >= room(limit, total, less(total, free) > slack ? free + slack : total));
	/* More free space never means less room. */
	must(od_limit_room(limit, total, free / 2) >= got);
	must(od_limit_room(limit, total, free) == got);
}

int LLVMFuzzerTestOneInput(const u8 *data, size_t size)
{
	struct feed feed = { data, size };
	struct od_limit limit, parsed;

	limit.run = feed32(&feed);
	limit.cull = feed32(&feed);
	limit.stop = feed32(&feed);
	must(od_limit_check(&limit) ==
	     (limit.stop < limit.cull && limit.cull < limit.run && limit.run < 100 ? 0 : -ERANGE));
	/* As od_command_percent() accepts them. */
	parsed.run = limit.run % 100;
	parsed.cull = limit.cull % 100;
	parsed.stop = limit.stop % 100;
	if (!od_limit_check(&parsed)) {
		u64 total = feed64(&feed);

		check_room(&parsed, total, feed64(&feed));
		must(od_limit_room(&parsed, 0, 0) == OD_ROOM_PLENTY);
	}
	return 0;
}
