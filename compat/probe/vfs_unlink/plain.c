// SPDX-License-Identifier: GPL-2.0-only
/* vfs_unlink() takes no mapping of owners: v5.10 to v5.11; drop when the minimum is v5.12. */
#include <linux/fs.h>

int probe(struct inode *dir, struct dentry *victim);
int probe(struct inode *dir, struct dentry *victim)
{
	return vfs_unlink(dir, victim, NULL);
}
