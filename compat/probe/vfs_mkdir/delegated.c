// SPDX-License-Identifier: GPL-2.0-only
/*
 * vfs_mkdir() takes a struct delegated_inode and returns a dentry: since v6.19;
 * drop when the minimum is v6.19.
 */
#include <linux/fs.h>

struct dentry *probe(struct mnt_idmap *idmap, struct inode *dir, struct dentry *dentry,
		     struct delegated_inode *delegated);
struct dentry *probe(struct mnt_idmap *idmap, struct inode *dir, struct dentry *dentry,
		     struct delegated_inode *delegated)
{
	return vfs_mkdir(idmap, dir, dentry, 0700, delegated);
}
