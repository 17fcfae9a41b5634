// SPDX-License-Identifier: GPL-2.0-only
/*
 * vfs_unlink() and its kin take a struct user_namespace: v5.12 to v6.2;
 * drop when the minimum is v6.3.
 */
#include <linux/fs.h>

int probe(struct user_namespace *ns, struct dentry *dentry);
int probe(struct user_namespace *ns, struct dentry *dentry)
{
	return notify_change(ns, dentry, NULL, NULL);
}
