// SPDX-License-Identifier: GPL-2.0-only
/*
 * Bytes that no read has used: what READs requested beyond what was needed, and what the daemon
 * prefetched.
 *
 *	filled		absent bytes become unused, before they are marked present
 *	read		bytes become used, before the cache file is read
 *	punched		stays counted: it will not be used
 *
 * They have their own map, under cookie->lock. Its number of runs is limited: bytes that do not
 * fit count as used.
 */
#include "internal.h"

#include <linux/slab.h>

/* Initial and maximum capacity of the map in runs of 16 bytes each. */
#define FIRST_RUNS	8
#define MOST_RUNS	1024

static bool grow(struct cachefiles_od_cookie *cookie)
{
	size_t cap = READ_ONCE(cookie->unused.cap);
	struct od_range *bigger, *old;

	if (cap >= MOST_RUNS)
		return false;
	cap = cap ? cap * 2 : FIRST_RUNS;
	bigger = kmalloc_array(cap, sizeof(*bigger), GFP_NOFS | __GFP_NOWARN);
	if (!bigger)
		return false;
	spin_lock(&cookie->lock);
	old = bigger;
	if (cap > cookie->unused.cap) {
		old = cookie->unused.e;
		if (old)
			memcpy(bigger, old, cookie->unused.nr * sizeof(*old));
		cookie->unused.e = bigger;
		cookie->unused.cap = cap;
	}
	spin_unlock(&cookie->lock);
	kfree(old);
	return true;
}

/* Adds the absent bytes of a range. */
static int add_absent(struct cachefiles_od_cookie *cookie, u64 start, u64 end)
{
	u64 next;
	int err;

	for (; start < end; start = next) {
		bool present = od_extents_run(&cookie->present, start, &next);

		next = min(next, end);
		err = present ? 0 : od_extents_add(&cookie->unused, start, next);
		if (err)
			return err;
	}
	return 0;
}

static int take_off(struct cachefiles_od_cookie *cookie, u64 start, u64 end)
{
	return od_extents_remove(&cookie->unused, start, end);
}

/* Also removes the rest of the run it is in, which needs no new run. */
static int take_off_more(struct cachefiles_od_cookie *cookie, u64 start, u64 end)
{
	u64 run_end;

	od_extents_run(&cookie->unused, start, &run_end);
	return od_extents_remove(&cookie->unused, start, max(run_end, end));
}

/* Changes the map; returns the change in bytes. */
static s64 change(struct cachefiles_od_cookie *cookie,
		  int (*how)(struct cachefiles_od_cookie *cookie, u64 start, u64 end),
		  u64 start, u64 end, int *err)
{
	s64 bytes;

	spin_lock(&cookie->lock);
	bytes = -(s64)cookie->unused.bytes;
	*err = how(cookie, start, end);
	bytes += cookie->unused.bytes;
	spin_unlock(&cookie->lock);
	return bytes;
}

static s64 remove(struct cachefiles_od_cookie *cookie, u64 start, u64 end)
{
	s64 bytes;
	int err;

	do {
		bytes = change(cookie, take_off, start, end, &err);
	} while (err && grow(cookie));
	return err ? change(cookie, take_off_more, start, end, &err) : bytes;
}

static void count(struct cachefiles_od_cookie *cookie, s64 bytes)
{
	atomic64_add(bytes, &cachefiles_od_cookie_cache(cookie)->stats.unused);
}

/* The daemon has written a range, which the caller marks present afterwards. */
void cachefiles_od_unused_filled(struct cachefiles_od_cookie *cookie, u64 start, u64 end)
{
	int err;

	/* Past the end of the blob there is nothing to use. */
	end = min(end, cookie->size);
	do {
		count(cookie, change(cookie, add_absent, start, end, &err));
	} while (err && grow(cookie));
}

/* Whether no read has used some byte of a range. */
bool cachefiles_od_unused_has(const struct cachefiles_od_cookie *cookie, u64 start, u64 end)
{
	lockdep_assert_held(&cookie->lock);
	return od_extents_touches(&cookie->unused, start, end);
}

/* A range that was found present is about to be read. */
void cachefiles_od_unused_read(struct cachefiles_od_cookie *cookie, u64 start, u64 end)
{
	count(cookie, remove(cookie, start, end));
}

/* A range was punched. */
void cachefiles_od_unused_dropped(struct cachefiles_od_cookie *cookie, u64 start, u64 end)
{
	s64 bytes = remove(cookie, start, end);

	spin_lock(&cookie->lock);
	cookie->never_used += -bytes;
	spin_unlock(&cookie->lock);
}

/* The object is closed. */
void cachefiles_od_unused_forget(struct cachefiles_od_cookie *cookie)
{
	struct od_range *runs;

	spin_lock(&cookie->lock);
	runs = cookie->unused.e;
	cookie->never_used += cookie->unused.bytes;
	memset(&cookie->unused, 0, sizeof(cookie->unused));
	spin_unlock(&cookie->lock);
	kfree(runs);
}
