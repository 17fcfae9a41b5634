// SPDX-License-Identifier: GPL-2.0-only
/* vfs_unlink() takes a struct user_namespace: v5.12 to v6.2; drop when the minimum is v6.3. */
#include <linux/fs.h>

int probe(struct user_namespace *ns, struct inode *dir, struct dentry *victim);
int probe(struct user_namespace *ns, struct inode *dir, struct dentry *victim)
{
	return vfs_unlink(ns, dir, victim, NULL);
}
