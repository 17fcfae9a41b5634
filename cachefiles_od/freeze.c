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

/* Same, but it cannot be frozen again until cachefiles_od_end_write(). */
int cachefiles_od_start_write(const struct cachefiles_od_cache *cache)
{
	int err = 0;

	while (!err && !sb_start_write_trylock(cache->root.dentry->d_sb))
		err = cachefiles_od_wait_frozen();
	return err;
}

void cachefiles_od_end_write(const struct cachefiles_od_cache *cache)
{
	sb_end_write(cache->root.dentry->d_sb);
}
