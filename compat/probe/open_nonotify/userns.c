// SPDX-License-Identifier: GPL-2.0-only
/*
 * dentry_open() takes __FMODE_NONOTIFY, and vfs_create()
 * takes a struct user_namespace: v5.12 to v6.2; drop when the minimum is v6.3.
 */
#include <linux/fs.h>

#ifndef __FMODE_NONOTIFY
#error "no such flag"
#endif

int probe(struct user_namespace *ns, struct inode *dir, struct dentry *dentry);
int probe(struct user_namespace *ns, struct inode *dir, struct dentry *dentry)
{
	return vfs_create(ns, dir, dentry, 0600, true) + __FMODE_NONOTIFY;
}
