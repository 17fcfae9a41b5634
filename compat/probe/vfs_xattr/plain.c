// SPDX-License-Identifier: GPL-2.0-only
/*
 * vfs_getxattr() and vfs_setxattr() take no mapping of owners: v5.10 to v5.11;
 * drop when the minimum is v5.12.
 */
#include <linux/fs.h>
#include <linux/xattr.h>

ssize_t probe(struct dentry *dentry, void *value);
ssize_t probe(struct dentry *dentry, void *value)
{
	return vfs_getxattr(dentry, "user.probe", value, 1) ?:
	       vfs_setxattr(dentry, "user.probe", value, 1, 0);
}
