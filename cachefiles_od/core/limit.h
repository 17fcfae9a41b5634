/* SPDX-License-Identifier: GPL-2.0-only */
/* Limits of the space that the cache may use. */
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

/** OD_LIMIT_DEFAULT - limits unless the daemon sets others */
#define OD_LIMIT_DEFAULT	{ 7, 5, 1 }

/**
 * enum od_room - free space of a file system, relative to the limits
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
 * od_limit_check - check the order of the limits
 * @limit: limits of one resource
 *
 * Return: 0, or -ERANGE unless stop < cull < run < 100.
 */
int od_limit_check(const struct od_limit *limit);

/**
 * od_limit_room - classify free space by the limits
 * @limit: limits of one resource
 * @total: blocks or files in total; 0 if the file system does not count them
 * @free: free blocks or files
 */
enum od_room od_limit_room(const struct od_limit *limit, u64 total, u64 free);

#endif /* OD_CORE_LIMIT_H */
