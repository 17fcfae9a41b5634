// SPDX-License-Identifier: GPL-2.0-only
/*
 * vfs_mkdir() takes a struct mnt_idmap and returns an int: v6.3 to v6.14;
 * drop when the minimum is v6.15.
 */
#include <linux/fs.h>

int probe(struct mnt_idmap *idmap, struct inode *dir, struct dentry *dentry);
int probe(struct mnt_idmap *idmap, struct inode *dir, struct dentry *dentry)
{
	return vfs_mkdir(idmap, dir, dentry, 0700);
}
