// SPDX-License-Identifier: GPL-2.0-only
/*
 * vfs_getxattr() and vfs_setxattr() take a struct mnt_idmap: since v6.3;
 * drop when the minimum is v6.3.
 */
#include <linux/fs.h>
#include <linux/xattr.h>

ssize_t probe(struct mnt_idmap *idmap, struct dentry *dentry, void *value);
ssize_t probe(struct mnt_idmap *idmap, struct dentry *dentry, void *value)
{
	return vfs_getxattr(idmap, dentry, "user.probe", value, 1) ?:
	       vfs_setxattr(idmap, dentry, "user.probe", value, 1, 0);
}
