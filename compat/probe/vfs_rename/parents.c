// SPDX-License-Identifier: GPL-2.0-only
/*
 * struct renamedata has one idmap and two parent dentries: since v6.18;
 * drop when the minimum is v6.18.
 */
#include <linux/fs.h>

int probe(struct dentry *parent, struct mnt_idmap *idmap);
int probe(struct dentry *parent, struct mnt_idmap *idmap)
{
	struct renamedata rd = { };

	rd.old_parent = parent;
	rd.new_parent = parent;
	rd.mnt_idmap = idmap;
	return vfs_rename(&rd);
}
