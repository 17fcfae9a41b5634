// SPDX-License-Identifier: GPL-2.0-only
/*
 * Punching ranges of a blob in use, to free their space:
 *
 *	fill_sem for writing	the blob is not being filled
 *	map in memory		new readers ask the daemon, whose writes wait
 *	map on disk		also holds after a power cut
 *	readers drained		those that found the range present have read it
 *	cache file		the range becomes a hole
 *
 * In any other order a reader, now or after a power cut, would take the hole for data.
 */
#include "internal.h"

#include <linux/falloc.h>
#include <linux/mm.h>
#include <linux/slab.h>
#include <linux/wait_bit.h>

/**
 * struct taken - what was present in a punched range
 * @runs: the runs
 * @nr: number of @runs
 * @bytes: bytes in them
 */
struct taken {
	struct od_range *runs;
	size_t nr;
	u64 bytes;
};

/* No runs are added meanwhile: fill_sem is held. */
static int list_present(struct cachefiles_od_cookie *cookie, u64 start, u64 end,
			struct taken *taken)
{
	size_t room = READ_ONCE(cookie->present.nr) + 1;
	u64 next;

	taken->runs = kvmalloc_array(room, sizeof(*taken->runs), GFP_KERNEL);
	if (!taken->runs)
		return -ENOMEM;
	spin_lock(&cookie->lock);
	for (; start < end && taken->nr < room; start = next) {
		bool present = od_extents_run(&cookie->present, start, &next);

		next = min(next, end);
		if (!present)
			continue;
		taken->runs[taken->nr++] = (struct od_range) { start, next };
		taken->bytes += next - start;
	}
	spin_unlock(&cookie->lock);
	return 0;
}

/* The file still has the data, and the map on disk lists it. */
static void put_back(struct cachefiles_od_cookie *cookie, const struct taken *taken)
{
	size_t i;

	for (i = 0; i < taken->nr; i++)
		cachefiles_od_presence_filled(cookie, taken->runs[i].start, taken->runs[i].end);
}

/* Waits for reads of the cache file that began earlier. */
static void drain_readers(struct cachefiles_od_cookie *cookie)
{
	atomic_t *before;

	lockdep_assert_held_write(&cookie->fill_sem);
	spin_lock(&cookie->lock);
	before = &cookie->nr_reading[cookie->reading_epoch];
	cookie->reading_epoch = !cookie->reading_epoch;
	atomic_set(&cookie->nr_reading[cookie->reading_epoch], 1);
	spin_unlock(&cookie->lock);
	if (!atomic_dec_and_test(before))
		wait_var_event(before, atomic_read(before) == 0);
}

static int take_out(struct cachefiles_od_cookie *cookie, u64 start, u64 end)
{
	struct cachefiles_od_cache *cache = cachefiles_od_cookie_cache(cookie);
	struct taken taken = { };
	int err = list_present(cookie, start, end, &taken);

	if (!err && taken.nr) {
		err = cachefiles_od_presence_drop(cookie, start, end);
		if (!err) {
			cachefiles_od_wait_forgotten(cookie, start, end);
			err = cachefiles_od_presence_retract(cookie);
			if (err)
				put_back(cookie, &taken);
		}
	}
	kvfree(taken.runs);
	if (err || !taken.nr)
		return err;
	drain_readers(cookie);
	err = vfs_fallocate(cookie->file, FALLOC_FL_PUNCH_HOLE | FALLOC_FL_KEEP_SIZE, start,
			    end - start);
	cachefiles_od_unused_dropped(cookie, start, end);
	if (!err) {
		atomic64_add(taken.bytes, &cache->stats.punched);
		cachefiles_od_room_freed(cache, taken.bytes);
	}
	return err;
}

/*
 * Only whole blocks are punched; the last one extends to the end of the file. Bytes past the
 * end of the blob stay present: they need no fetching.
 */
static bool round_to_blocks(const struct cachefiles_od_cookie *cookie, u64 *start, u64 *end)
{
	u64 block = cachefiles_od_cookie_cache(cookie)->block_size;

	*start = round_up(*start, block);
	*end = *end >= cookie->size ? cookie->size : round_down(*end, block);
	return *start < *end;
}

/*
 * Punches a range. The caller holds an operation. Returns 0; -EBUSY if the file system is
 * frozen; -EINVAL; -EINTR; or why the map or the file could not be written to.
 */
int cachefiles_od_punch(struct cachefiles_od_cookie *cookie, u64 start, u64 len)
{
	struct cachefiles_od_cache *cache = cachefiles_od_cookie_cache(cookie);
	u64 end = start + len;
	const struct cred *saved;
	int err;

	if (start >= cookie->size)
		return -EINVAL;
	if (!cookie->file->f_op->fallocate)
		return -EOPNOTSUPP;
	if (!round_to_blocks(cookie, &start, &end))
		return 0;
	err = down_write_killable(&cookie->fill_sem);
	if (err)
		return err;
	saved = override_creds(cache->cred);
	err = cachefiles_od_is_frozen(cache) ? -EBUSY : take_out(cookie, start, end);
	revert_creds(saved);
	up_write(&cookie->fill_sem);
	if (err && err != -EBUSY)
		pr_err_limited(cookie->volume,
			       "volume %s: blob %s: failed to punch %llu bytes at %llu: %d\n",
			       cookie->volume->key, cookie->name, end - start, start, err);
	return err;
}
