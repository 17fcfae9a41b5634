// SPDX-License-Identifier: GPL-2.0-only
/* vfs_unlink() takes a struct mnt_idmap: since v6.3; drop when the minimum is v6.3. */
#include <linux/fs.h>

int probe(struct mnt_idmap *idmap, struct inode *dir, struct dentry *victim);
int probe(struct mnt_idmap *idmap, struct inode *dir, struct dentry *victim)
{
	return vfs_unlink(idmap, dir, victim, NULL);
}
