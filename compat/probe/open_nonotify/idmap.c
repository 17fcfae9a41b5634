// SPDX-License-Identifier: GPL-2.0-only
/*
 * dentry_open() takes __FMODE_NONOTIFY, and vfs_create()
 * takes a struct mnt_idmap: v6.3 to v6.13; drop when the minimum is v6.14.
 */
#include <linux/fs.h>

#ifndef __FMODE_NONOTIFY
#error "no such flag"
#endif

int probe(struct mnt_idmap *idmap, struct inode *dir, struct dentry *dentry);
int probe(struct mnt_idmap *idmap, struct inode *dir, struct dentry *dentry)
{
	return vfs_create(idmap, dir, dentry, 0600, true) + __FMODE_NONOTIFY;
}
