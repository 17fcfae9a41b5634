// SPDX-License-Identifier: GPL-2.0-only
/*
 * vfs_rename() takes six arguments: v5.10 to v5.11, until a v5.10 stable release;
 * drop when the minimum is v5.12.
 */
#include <linux/fs.h>

int probe(struct inode *from, struct dentry *old, struct inode *to, struct dentry *new);
int probe(struct inode *from, struct dentry *old, struct inode *to, struct dentry *new)
{
	return vfs_rename(from, old, to, new, NULL, 0);
}
