// SPDX-License-Identifier: GPL-2.0-only
/*
 * vfs_mkdir() takes no mapping of owners and returns an int: v5.10 to v5.11;
 * drop when the minimum is v5.12.
 */
#include <linux/fs.h>

int probe(struct inode *dir, struct dentry *dentry);
int probe(struct inode *dir, struct dentry *dentry)
{
	return vfs_mkdir(dir, dentry, 0700);
}
