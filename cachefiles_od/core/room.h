/* SPDX-License-Identifier: GPL-2.0-only */
/* Free space of the cache's file system, and when to cull. */
#ifndef OD_ROOM_H
#define OD_ROOM_H

#include "od/types.h"
#include "limit.h"

/**
 * struct od_room_count - free space as counted by a file system
 * @block_shift: a block has 1 << @block_shift bytes, less than 64
 * @blocks: blocks in total
 * @blocks_free: blocks available to the cache
 * @files: files in total, 0 if the file system does not count them
 * @files_free: files that can still be created
 */
struct od_room_count {
	unsigned int block_shift;
	u64 blocks, blocks_free;
	u64 files, files_free;
};

/**
 * struct od_room_meter - free space: the last count, and changes since
 * @count: the last count
 * @stored: bytes stored since then
 * @freed: bytes freed since then
 * @claimed: bytes being stored, which the count may or may not include
 * @full: a write has failed for lack of space since then
 * @room: estimated free space, relative to the limits
 * @culling: it was below cull, and has not been above run since
 *
 * Initialized by zeroing: plenty of space.
 */
struct od_room_meter {
	struct od_room_count count;
	u64 stored, freed, claimed;
	bool full;
	enum od_room room;
	bool culling;
};

/**
 * od_room_count - set a new count
 * @meter: its estimates are discarded, except for claimed bytes
 * @count: the count
 * @blocks: limits of blocks
 * @files: limits of files
 *
 * %OD_ROOM_NONE remains until free space is halfway between stop and cull.
 *
 * Return: true if culling has to start.
 */
bool od_room_count(struct od_room_meter *meter, const struct od_room_count *count,
		   const struct od_limit *blocks, const struct od_limit *files);

/**
 * od_room_change - account for bytes stored or freed since the last count
 * @meter: meter
 * @stored: bytes stored
 * @freed: bytes freed
 * @blocks: limits of blocks
 * @files: limits of files
 *
 * An estimate never ends culling: freed bytes may not be available yet.
 *
 * Return: true if culling has to start.
 */
bool od_room_change(struct od_room_meter *meter, u64 stored, u64 freed,
		    const struct od_limit *blocks, const struct od_limit *files);

/**
 * od_room_claim - claim space before bytes are stored
 * @meter: meter
 * @bytes: bytes; other claims may be pending
 * @blocks: limits of blocks
 * @files: limits of files
 * @begin: set to true if culling has to start
 *
 * Return: true, and od_room_settle() must follow; false if less than stop would be left:
 * nothing is stored then until the next count.
 */
bool od_room_claim(struct od_room_meter *meter, u64 bytes, const struct od_limit *blocks,
		   const struct od_limit *files, bool *begin);

/**
 * od_room_settle - end a claim
 * @meter: meter
 * @bytes: bytes claimed
 * @stored: number of them that were stored
 * @blocks: limits of blocks
 * @files: limits of files
 *
 * Return: true if culling has to start.
 */
bool od_room_settle(struct od_room_meter *meter, u64 bytes, u64 stored,
		    const struct od_limit *blocks, const struct od_limit *files);

/**
 * od_room_full - note that a write failed for lack of space
 * @meter: nothing is stored until its next count
 *
 * Return: true if culling has to start.
 */
bool od_room_full(struct od_room_meter *meter);

/** OD_REGIONS - maximum number of regions of a blob; the last use of each is tracked */
#define OD_REGIONS	64U
/** OD_REGION_SHIFT_MIN - log2 of the bytes in the smallest region */
#define OD_REGION_SHIFT_MIN	20U

/**
 * od_region_shift - log2 of the bytes in a region of a blob
 * @size: bytes of the blob
 *
 * Return: the smallest shift, %OD_REGION_SHIFT_MIN at least, for which %OD_REGIONS
 * regions of 1 << shift bytes cover the blob.
 */
unsigned int od_region_shift(u64 size);

#endif /* OD_ROOM_H */
