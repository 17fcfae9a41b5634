// SPDX-License-Identifier: GPL-2.0-only
/*
 * File systems that are frozen. A task that writes to one sleeps until it is thawed,
 * and not killably: so it is looked at first, before a lock is taken or a blob is
 * pinned. One that is frozen just then is waited for as any writer would.
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

/* 0 when it is time to look again, -EINTR when killed. */
int cachefiles_od_wait_frozen(void)
{
	schedule_timeout_killable(HZ / 20);
	return fatal_signal_pending(current) ? -EINTR : 0;
}

/* 0, or -EINTR when killed. */
int cachefiles_od_wait_thawed(const struct path *path)
{
	int err = 0;

	while (!err && is_frozen(path->dentry->d_sb))
		err = cachefiles_od_wait_frozen();
	return err;
}

/* The same, and it cannot be frozen until cachefiles_od_end_write(). */
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
