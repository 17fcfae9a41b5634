// SPDX-License-Identifier: GPL-2.0-only
/*
 * vfs_mkdir() takes a struct user_namespace and returns an int: v5.12 to v6.2;
 * drop when the minimum is v6.3.
 */
#include <linux/fs.h>

int probe(struct user_namespace *ns, struct inode *dir, struct dentry *dentry);
int probe(struct user_namespace *ns, struct inode *dir, struct dentry *dentry)
{
	return vfs_mkdir(ns, dir, dentry, 0700);
}
