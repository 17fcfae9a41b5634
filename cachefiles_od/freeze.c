// SPDX-License-Identifier: GPL-2.0-only
/*
 * Frozen file systems. A task that writes to one sleeps unkillably until it is thawed, so this
 * is checked before a lock is taken or a blob is pinned. A file system frozen after the check
 * is waited for like by any other writer.
 */
#include "internal.h"

#include <linux/sched/signal.h>

static bool is_frozen(struct super_block *sb)
{
	if (!sb_start_write_trylock(sb))
		return true;
	sb_end_write(sb);
	return false;
}

bool cachefiles_od_is_frozen(const struct cachefiles_od_cache *cache)
{
	return is_frozen(cache->root.dentry->d_sb);
}

/* Returns 0 when it is time to check again, -EINTR if killed. */
int cachefiles_od_wait_frozen(void)
{
	schedule_timeout_killable(HZ / 20);
	return fatal_signal_pending(current) ? -EINTR : 0;
}

/* Returns 0, or -EINTR if killed. */
int cachefiles_od_wait_thawed(const struct path *path)
{
	int err = 0;

	while (!err && is_frozen(path->dentry->d_sb))
		err = cachefiles_od_wait_frozen();
	return err;
}

/* Same, but it cannot be frozen again until end_write(). */
static int start_write(const struct cachefiles_od_cache *cache)
{
	int err = 0;

	while (!err && !sb_start_write_trylock(cache->root.dentry->d_sb))
		err = cachefiles_od_wait_frozen();
	return err;
}

static void end_write(const struct cachefiles_od_cache *cache)
{
	sb_end_write(cache->root.dentry->d_sb);
}

/*
 * Until cachefiles_od_end_fill() the file system stays thawed and no range of the blob is punched.
 * A task that punches may wait for a thaw while holding fill_sem, so freeze protection must not be
 * held while waiting for fill_sem.
 */
int cachefiles_od_begin_fill(struct cachefiles_od_cookie *cookie)
{
	struct cachefiles_od_cache *cache = cachefiles_od_cookie_cache(cookie);
	int err;

	for (;;) {
		err = start_write(cache);
		if (err || down_read_trylock(&cookie->fill_sem))
			return err;
		end_write(cache);
		err = down_read_killable(&cookie->fill_sem);
		if (err)
			return err;
		up_read(&cookie->fill_sem);
	}
}

/* Same, without waiting; returns whether it succeeded. */
bool cachefiles_od_try_begin_fill(struct cachefiles_od_cookie *cookie)
{
	struct cachefiles_od_cache *cache = cachefiles_od_cookie_cache(cookie);

	if (!sb_start_write_trylock(cache->root.dentry->d_sb))
		return false;
	if (down_read_trylock(&cookie->fill_sem))
		return true;
	end_write(cache);
	return false;
}

void cachefiles_od_end_fill(struct cachefiles_od_cookie *cookie)
{
	up_read(&cookie->fill_sem);
	end_write(cachefiles_od_cookie_cache(cookie));
}
