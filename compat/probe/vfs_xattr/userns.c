// SPDX-License-Identifier: GPL-2.0-only
/*
 * vfs_getxattr() and vfs_setxattr() take a struct user_namespace:
 * v5.12 to v6.2; drop when the minimum is v6.3.
 */
#include <linux/fs.h>
#include <linux/xattr.h>

ssize_t probe(struct user_namespace *ns, struct dentry *dentry, void *value);
ssize_t probe(struct user_namespace *ns, struct dentry *dentry, void *value)
{
	return vfs_getxattr(ns, dentry, "user.probe", value, 1) ?:
	       vfs_setxattr(ns, dentry, "user.probe", value, 1, 0);
}
