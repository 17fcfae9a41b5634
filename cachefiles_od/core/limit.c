// SPDX-License-Identifier: GPL-2.0-only
#include "limit.h"

int od_limit_check(const struct od_limit *limit)
{
	if (limit->stop >= limit->cull || limit->cull >= limit->run || limit->run >= 100)
		return -ERANGE;
	return 0;
}

/* Whether at least this percentage is free. Without a division, for 32-bit CPUs. */
static bool od_has_percent(u64 total, u64 free, unsigned int percent)
{
	/* Drops low bits where the products would wrap. */
	for (; total > U64_MAX / 128; total >>= 1)
		free >>= 1;
	return free * 100 >= total * percent;
}

enum od_room od_limit_room(const struct od_limit *limit, u64 total, u64 free)
{
	free = min(free, total);
	if (total == 0 || od_has_percent(total, free, limit->run))
		return OD_ROOM_PLENTY;
	if (od_has_percent(total, free, limit->cull))
		return OD_ROOM_SOME;
	if (od_has_percent(total, free, limit->stop))
		return OD_ROOM_SCARCE;
	return OD_ROOM_NONE;
}
