// SPDX-License-Identifier: GPL-2.0-only
/*
 * Room on the cache's file system: looked up once a second at most, and estimated
 * in between from what was stored and given back. The daemon is woken (EPOLLOUT)
 * when culling has to begin; the device shows EPOLLOUT until there is room again.
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

/* One line when keeping data ends, one when it begins again. */
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

/* The task that finds it due looks; the others go by what is known. */
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

/* How much room there is. */
enum od_room cachefiles_od_room(struct cachefiles_od_cache *cache)
{
	if (is_due(cache))
		look(cache);
	return READ_ONCE(cache->room.room);
}

/* Is something to be culled? */
bool cachefiles_od_room_culling(struct cachefiles_od_cache *cache)
{
	if (is_due(cache))
		look(cache);
	return READ_ONCE(cache->room.culling);
}

/* Bytes were given back to the file system. */
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
 * Something is about to be stored: room for it is kept, so that many who store at once do
 * not fill what is below the limit. False if there is none for it.
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

/* So much of it was stored. */
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

/* The file system refused to store something: true if for lack of room. */
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

/* The limits are new, or the cache is. */
void cachefiles_od_room_set_limits(struct cachefiles_od_cache *cache, const struct od_limit *blocks,
				   const struct od_limit *files)
{
	spin_lock(&cache->room_lock);
	cache->blocks = *blocks;
	cache->files = *files;
	WRITE_ONCE(cache->room_due, jiffies);
	spin_unlock(&cache->room_lock);
}
