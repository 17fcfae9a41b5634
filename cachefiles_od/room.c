// SPDX-License-Identifier: GPL-2.0-only
/*
 * Free space of the cache's file system: queried at most once a second, and estimated in
 * between from what was stored and freed. The daemon is woken up (EPOLLOUT) when culling has to
 * start; the device reports EPOLLOUT until there is enough space again.
 */
#include "internal.h"

#include <linux/jiffies.h>
#include <linux/log2.h>
#include <linux/statfs.h>

static int count(struct cachefiles_od_cache *cache, struct od_room_count *result)
{
	struct kstatfs st;
	int err = vfs_statfs(&cache->root, &st);

	if (err)
		return err;
	*result = (struct od_room_count) {
		.block_shift = st.f_bsize > 0 ? ilog2(st.f_bsize) : 0,
		.blocks = st.f_blocks,
		.blocks_free = st.f_bavail,
		.files = st.f_files,
		.files_free = st.f_ffree,
	};
	return 0;
}

/* Logs a line when storing stops, and one when it resumes. */
static void report(struct cachefiles_od_cache *cache, enum od_room before, enum od_room after)
{
	if (after == OD_ROOM_NONE && before != OD_ROOM_NONE)
		pr_warn_ratelimited("dir %s: out of space (-ENOSPC): missing data is passed to readers and not kept\n",
				    cache->dir);
	else if (before == OD_ROOM_NONE && after != OD_ROOM_NONE)
		pr_info_ratelimited("dir %s: space is available again\n", cache->dir);
}

static bool is_due(const struct cachefiles_od_cache *cache)
{
	return time_after_eq(jiffies, READ_ONCE(cache->room_due));
}

/* The task that finds a query due makes it; others use the last result. */
static bool claim_look(struct cachefiles_od_cache *cache)
{
	bool mine;

	spin_lock(&cache->room_lock);
	mine = is_due(cache);
	if (mine)
		WRITE_ONCE(cache->room_due, jiffies + HZ);
	spin_unlock(&cache->room_lock);
	return mine;
}

static void look(struct cachefiles_od_cache *cache)
{
	struct od_room_count result;
	enum od_room before, after;
	bool begin;
	int err;

	if (!claim_look(cache))
		return;
	err = count(cache, &result);
	spin_lock(&cache->room_lock);
	before = cache->room.room;
	begin = err ? od_room_full(&cache->room) :
		      od_room_count(&cache->room, &result, &cache->blocks, &cache->files);
	after = cache->room.room;
	spin_unlock(&cache->room_lock);
	report(cache, before, after);
	if (begin)
		cachefiles_od_request_wake_cullers();
}

/* Free space relative to the limits. */
enum od_room cachefiles_od_room(struct cachefiles_od_cache *cache)
{
	if (is_due(cache))
		look(cache);
	return READ_ONCE(cache->room.room);
}

/* Whether there is something to cull. */
bool cachefiles_od_room_culling(struct cachefiles_od_cache *cache)
{
	if (is_due(cache))
		look(cache);
	return READ_ONCE(cache->room.culling);
}

/* Bytes were freed on the file system. */
void cachefiles_od_room_freed(struct cachefiles_od_cache *cache, u64 freed)
{
	enum od_room before, after;
	bool begin;

	spin_lock(&cache->room_lock);
	before = cache->room.room;
	begin = od_room_change(&cache->room, 0, freed, &cache->blocks, &cache->files);
	after = cache->room.room;
	spin_unlock(&cache->room_lock);
	report(cache, before, after);
	if (begin)
		cachefiles_od_request_wake_cullers();
}

/*
 * Claims space before storing, so that concurrent writers do not together go below the limit.
 * False if there is not enough.
 */
bool cachefiles_od_room_claim(struct cachefiles_od_cache *cache, u64 bytes)
{
	enum od_room before, after;
	bool begin, claimed;

	spin_lock(&cache->room_lock);
	before = cache->room.room;
	claimed = od_room_claim(&cache->room, bytes, &cache->blocks, &cache->files, &begin);
	after = cache->room.room;
	spin_unlock(&cache->room_lock);
	report(cache, before, after);
	if (begin)
		cachefiles_od_request_wake_cullers();
	return claimed;
}

/* @stored of the claimed bytes were stored. */
void cachefiles_od_room_settle(struct cachefiles_od_cache *cache, u64 bytes, u64 stored)
{
	enum od_room before, after;
	bool begin;

	spin_lock(&cache->room_lock);
	before = cache->room.room;
	begin = od_room_settle(&cache->room, bytes, stored, &cache->blocks, &cache->files);
	after = cache->room.room;
	spin_unlock(&cache->room_lock);
	report(cache, before, after);
	if (begin)
		cachefiles_od_request_wake_cullers();
}

/* A write to the file system failed; returns true if for lack of space. */
bool cachefiles_od_room_refused(struct cachefiles_od_cache *cache, long err)
{
	enum od_room before;
	bool begin;

	if (err != -ENOSPC && err != -EDQUOT)
		return false;
	spin_lock(&cache->room_lock);
	before = cache->room.room;
	begin = od_room_full(&cache->room);
	spin_unlock(&cache->room_lock);
	report(cache, before, OD_ROOM_NONE);
	if (begin)
		cachefiles_od_request_wake_cullers();
	return true;
}

/* The limits or the cache are new. */
void cachefiles_od_room_set_limits(struct cachefiles_od_cache *cache, const struct od_limit *blocks,
				   const struct od_limit *files)
{
	spin_lock(&cache->room_lock);
	cache->blocks = *blocks;
	cache->files = *files;
	WRITE_ONCE(cache->room_due, jiffies);
	spin_unlock(&cache->room_lock);
}
