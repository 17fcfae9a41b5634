// SPDX-License-Identifier: GPL-2.0-only
/* vfs_unlink() and its kin take a struct mnt_idmap: since v6.3; drop when the minimum is v6.3. */
#include <linux/fs.h>

int probe(struct mnt_idmap *idmap, struct dentry *dentry);
int probe(struct mnt_idmap *idmap, struct dentry *dentry)
{
	return notify_change(idmap, dentry, NULL, NULL);
}
