// SPDX-License-Identifier: GPL-2.0-only
/*
 * struct renamedata has an idmap and a directory for either side: v6.3 to v6.16;
 * drop when the minimum is v6.17.
 */
#include <linux/fs.h>

int probe(struct inode *dir, struct mnt_idmap *idmap);
int probe(struct inode *dir, struct mnt_idmap *idmap)
{
	struct renamedata rd = { };

	rd.old_dir = dir;
	rd.new_dir = dir;
	rd.old_mnt_idmap = idmap;
	rd.new_mnt_idmap = idmap;
	return vfs_rename(&rd);
}
