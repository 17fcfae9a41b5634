// SPDX-License-Identifier: GPL-2.0-only
/* Module init and exit. */
#include "internal.h"
#include "decompressor.h"

#include <linux/module.h>

static bool dropin;
module_param(dropin, bool, 0444);
MODULE_PARM_DESC(dropin, "also be the file system type erofs");

static struct file_system_type fs_type = {
	.owner = THIS_MODULE,
	.name = "erofs_od",
	.fs_flags = FS_ALLOW_IDMAP,
	.init_fs_context = erofs_od_init_fs_context,
	.kill_sb = erofs_od_kill_sb,
};
MODULE_ALIAS_FS("erofs_od");

static struct file_system_type dropin_type = {
	.owner = THIS_MODULE,
	.name = "erofs",
	/* As in the kernel's own: programs use it to detect file systems on block devices. */
	.fs_flags = FS_REQUIRES_DEV | FS_ALLOW_IDMAP,
	.init_fs_context = erofs_od_init_fs_context,
	.kill_sb = erofs_od_kill_sb,
};

/* Failure is not fatal: the module works without the second name. */
static void __init register_dropin(void)
{
	int err;

	if (!dropin)
		return;
	err = register_filesystem(&dropin_type);
	if (!err)
		return;
	dropin = false;
	pr_err("failed to register file system type \"erofs\": is the kernel's own erofs loaded? (%d)\n",
	       err);
}

static int __init erofs_od_init(void)
{
	int err;

	erofs_od_file_init();
	err = erofs_od_inode_cache_init();
	if (err)
		return err;
	err = erofs_od_batch_init();
	if (err)
		goto destroy_inode_cache;
	err = erofs_od_meta_init();
	if (err)
		goto destroy_batch_cache;
	err = erofs_od_share_init();
	if (err)
		goto unmount_meta;
	erofs_od_decompressor_init();
	err = erofs_od_zdata_init();
	if (err)
		goto exit_share;
	err = erofs_od_stats_init();
	if (err)
		goto exit_zdata;
	err = register_filesystem(&fs_type);
	if (err)
		goto remove_stats;
	register_dropin();
	return 0;

remove_stats:
	erofs_od_stats_exit();
exit_zdata:
	erofs_od_zdata_exit();
exit_share:
	erofs_od_share_exit();
unmount_meta:
	erofs_od_meta_exit();
destroy_batch_cache:
	erofs_od_batch_exit();
destroy_inode_cache:
	erofs_od_inode_cache_exit();
	return err;
}

static void __exit erofs_od_exit(void)
{
	if (dropin)
		unregister_filesystem(&dropin_type);
	unregister_filesystem(&fs_type);
	erofs_od_stats_exit();
	erofs_od_zdata_exit();
	erofs_od_share_exit();
	erofs_od_meta_exit();
	erofs_od_batch_exit();
	erofs_od_inode_cache_exit();
}

module_init(erofs_od_init);
module_exit(erofs_od_exit);

MODULE_DESCRIPTION("EROFS images that come through an on-demand cache");
MODULE_AUTHOR("The erofs-od authors");
MODULE_LICENSE("GPL");
MODULE_VERSION("0.1.0");
MODULE_SOFTDEP("pre: cachefiles_od libcrc32c");
