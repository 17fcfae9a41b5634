/* SPDX-License-Identifier: GPL-2.0-only */
/* What is known of the room on the cache's file system, and when to cull. */
#ifndef OD_ROOM_H
#define OD_ROOM_H

#include "od/types.h"
#include "limit.h"

/**
 * struct od_room_count - what a file system said of its room
 * @block_shift: a block has 1 << @block_shift bytes, less than 64
 * @blocks: blocks that it has
 * @blocks_free: blocks that are free for the cache
 * @files: files that it can have, 0 where it does not count them
 * @files_free: how many more it can have
 */
struct od_room_count {
	unsigned int block_shift;
	u64 blocks, blocks_free;
	u64 files, files_free;
};

/**
 * struct od_room_meter - the room as it was counted, and what happened since
 * @count: what was counted last
 * @stored: bytes that were stored since then
 * @freed: bytes that were given back since then
 * @claimed: bytes that are just being stored; they may be counted already, or not
 * @full: something could not be stored since then
 * @room: how the limits see that
 * @culling: below cull, and not above run again since
 *
 * All zeroes: plenty of room.
 */
struct od_room_meter {
	struct od_room_count count;
	u64 stored, freed, claimed;
	bool full;
	enum od_room room;
	bool culling;
};

/**
 * od_room_count - the room was counted
 * @meter: forgets what it has estimated, but for what is claimed
 * @count: what was counted
 * @blocks: limits of blocks
 * @files: limits of files
 *
 * Room that is none stays so until there is half of what lies between stop and cull.
 *
 * Return: true when culling has to begin.
 */
bool od_room_count(struct od_room_meter *meter, const struct od_room_count *count,
		   const struct od_limit *blocks, const struct od_limit *files);

/**
 * od_room_change - something was stored or given back since the room was counted
 * @meter: what is known
 * @stored: bytes stored
 * @freed: bytes given back
 * @blocks: limits of blocks
 * @files: limits of files
 *
 * Culling never ends by an estimate: what was given back may not be free yet.
 *
 * Return: true when culling has to begin.
 */
bool od_room_change(struct od_room_meter *meter, u64 stored, u64 freed,
		    const struct od_limit *blocks, const struct od_limit *files);

/**
 * od_room_claim - something is about to be stored
 * @meter: what is known
 * @bytes: of these, many at once may be on their way
 * @blocks: limits of blocks
 * @files: limits of files
 * @begin: set to true when culling has to begin
 *
 * Return: true, and od_room_settle() has to follow; false if there would be less room
 * left than stop: then there is none until it is counted again.
 */
bool od_room_claim(struct od_room_meter *meter, u64 bytes, const struct od_limit *blocks,
		   const struct od_limit *files, bool *begin);

/**
 * od_room_settle - what was claimed is stored
 * @meter: what is known
 * @bytes: that were claimed
 * @stored: how many of them were stored
 * @blocks: limits of blocks
 * @files: limits of files
 *
 * Return: true when culling has to begin.
 */
bool od_room_settle(struct od_room_meter *meter, u64 bytes, u64 stored,
		    const struct od_limit *blocks, const struct od_limit *files);

/**
 * od_room_full - the file system refused to store something
 * @meter: has no room until it is counted again
 *
 * Return: true when culling has to begin.
 */
bool od_room_full(struct od_room_meter *meter);

/** OD_REGIONS - parts of a blob whose last use is kept, each of the same size */
#define OD_REGIONS	64U
/** OD_REGION_SHIFT_MIN - no part is smaller than 1 << this bytes */
#define OD_REGION_SHIFT_MIN	20U

/**
 * od_region_shift - how large are the parts of a blob whose last use is kept?
 * @size: bytes of the blob
 *
 * Return: the smallest shift, %OD_REGION_SHIFT_MIN at least, for which %OD_REGIONS
 * parts of 1 << shift bytes cover the blob.
 */
unsigned int od_region_shift(u64 size);

#endif /* OD_ROOM_H */
