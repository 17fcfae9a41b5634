// SPDX-License-Identifier: GPL-2.0-only
/* vfs_mkdir() returns a dentry: v6.15 to v6.18; drop when the minimum is v6.19. */
#include <linux/fs.h>

struct dentry *probe(struct mnt_idmap *idmap, struct inode *dir, struct dentry *dentry);
struct dentry *probe(struct mnt_idmap *idmap, struct inode *dir, struct dentry *dentry)
{
	return vfs_mkdir(idmap, dir, dentry, 0700);
}
