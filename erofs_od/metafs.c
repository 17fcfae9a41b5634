// SPDX-License-Identifier: GPL-2.0-only
/* The internal file system whose inodes hold metadata; it cannot be mounted. */
#include "internal.h"

#include <linux/backing-dev.h>
#include <linux/err.h>
#include <linux/magic.h>
#include <linux/mount.h>
#include <linux/pseudo_fs.h>

#define META_MAGIC	0x6f646d64

static struct vfsmount *meta_mnt;

static int meta_init_fs_context(struct fs_context *fc)
{
	return init_pseudo(fc, META_MAGIC) ? 0 : -ENOMEM;
}

/* No owner: the mount below would pin the module. */
static struct file_system_type meta_type = {
	.name = "erofs_od_meta",
	.init_fs_context = meta_init_fs_context,
	.kill_sb = kill_anon_super,
};

/* The superblock of the inodes that hold metadata. */
struct super_block *erofs_od_meta_sb(void)
{
	return meta_mnt->mnt_sb;
}

int erofs_od_meta_init(void)
{
	struct backing_dev_info *bdi;
	int err;

	meta_mnt = kern_mount(&meta_type);
	if (IS_ERR(meta_mnt))
		return PTR_ERR(meta_mnt);
	err = super_setup_bdi_name(meta_mnt->mnt_sb, "erofs_od");
	if (err) {
		kern_unmount(meta_mnt);
		return err;
	}
	/* file.c widens it for streams. Single large reads and readahead(2) may exceed it. */
	bdi = meta_mnt->mnt_sb->s_bdi;
	bdi->ra_pages = EROFS_OD_READAHEAD_BYTES >> PAGE_SHIFT;
	bdi->io_pages = EROFS_OD_STREAM_BYTES >> PAGE_SHIFT;
	return 0;
}

/**
 * erofs_od_common_bdi - give a superblock the readahead settings common to all mounts
 * @sb: superblock
 *
 * One bdi per mount, with its files in sysfs and debugfs, would take half of a mount's memory.
 */
void erofs_od_common_bdi(struct super_block *sb)
{
	sb->s_bdi = bdi_get(meta_mnt->mnt_sb->s_bdi);
}

void erofs_od_meta_exit(void)
{
	kern_unmount(meta_mnt);
}
