/* SPDX-License-Identifier: GPL-2.0-only */
/* How full the cache's file system may become. */
#ifndef OD_CORE_LIMIT_H
#define OD_CORE_LIMIT_H

#include "od/types.h"

/**
 * struct od_limit - limits of one resource, each in percent of the whole
 * @run: culling stops when this much is free
 * @cull: culling starts when less than this is free
 * @stop: nothing more is stored when less than this is free
 */
struct od_limit {
	unsigned int run, cull, stop;
};

/** OD_LIMIT_DEFAULT - what holds when the daemon sets nothing */
#define OD_LIMIT_DEFAULT	{ 7, 5, 1 }

/**
 * enum od_room - how much room a file system has left
 * @OD_ROOM_PLENTY: at or above run
 * @OD_ROOM_SOME: between cull and run
 * @OD_ROOM_SCARCE: below cull
 * @OD_ROOM_NONE: below stop
 */
enum od_room {
	OD_ROOM_PLENTY,
	OD_ROOM_SOME,
	OD_ROOM_SCARCE,
	OD_ROOM_NONE,
};

/**
 * od_limit_check - are the limits in order?
 * @limit: limits of one resource
 *
 * Return: 0, or -ERANGE unless stop < cull < run < 100.
 */
int od_limit_check(const struct od_limit *limit);

/**
 * od_limit_room - how do the limits see this much free?
 * @limit: limits of one resource
 * @total: blocks or files that the file system has; 0 where it does not count them
 * @free: how many of them are free
 */
enum od_room od_limit_room(const struct od_limit *limit, u64 total, u64 free);

#endif /* OD_CORE_LIMIT_H */
