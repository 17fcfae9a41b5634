// SPDX-License-Identifier: GPL-2.0-only
/*
 * dentry_open() takes __FMODE_NONOTIFY, and vfs_create()
 * takes no mapping of owners: v5.10 to v5.11; drop when the minimum is v5.12.
 */
#include <linux/fs.h>

#ifndef __FMODE_NONOTIFY
#error "no such flag"
#endif

int probe(struct inode *dir, struct dentry *dentry);
int probe(struct inode *dir, struct dentry *dentry)
{
	return vfs_create(dir, dentry, 0600, true) + __FMODE_NONOTIFY;
}
