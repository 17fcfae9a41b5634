// SPDX-License-Identifier: GPL-2.0-only
/*
 * sync(2) commits presence maps. It visits all superblocks that are not read-only: this file
 * registers one, which cannot be mounted, for that purpose.
 */
#include "internal.h"

#include <linux/fs_context.h>
#include <linux/mount.h>
#include <linux/pseudo_fs.h>

#define SYNC_MAGIC	0x6f647379

static struct vfsmount *sync_mnt;

static int sync_fs(struct super_block *sb, int wait)
{
	struct cachefiles_od_cache *cache;
	unsigned int id = 0;

	if (!wait)
		return 0;
	while ((cache = cachefiles_od_cache_get_after(id))) {
		id = cache->id;
		cachefiles_od_presence_commit_all(cache);
		cachefiles_od_cache_put(cache);
	}
	return 0;
}

static const struct super_operations sync_ops = {
	.statfs = simple_statfs,
	.sync_fs = sync_fs,
};

static int sync_init_fs_context(struct fs_context *fc)
{
	struct pseudo_fs_context *ctx = init_pseudo(fc, SYNC_MAGIC);

	if (!ctx)
		return -ENOMEM;
	ctx->ops = &sync_ops;
	return 0;
}

/* No owner: the mount below would pin this module. */
static struct file_system_type sync_type = {
	.name = "cachefiles_od_sync",
	.init_fs_context = sync_init_fs_context,
	.kill_sb = kill_anon_super,
};

int cachefiles_od_sync_register(void)
{
	sync_mnt = kern_mount(&sync_type);
	return PTR_ERR_OR_ZERO(sync_mnt);
}

void cachefiles_od_sync_unregister(void)
{
	kern_unmount(sync_mnt);
}
