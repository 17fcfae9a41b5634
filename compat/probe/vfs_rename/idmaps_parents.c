// SPDX-License-Identifier: GPL-2.0-only
/*
 * struct renamedata has an idmap and a parent dentry for either side: v6.17 to v6.17;
 * drop when the minimum is v6.18.
 */
#include <linux/fs.h>

int probe(struct dentry *parent, struct mnt_idmap *idmap);
int probe(struct dentry *parent, struct mnt_idmap *idmap)
{
	struct renamedata rd = { };

	rd.old_parent = parent;
	rd.new_parent = parent;
	rd.old_mnt_idmap = idmap;
	rd.new_mnt_idmap = idmap;
	return vfs_rename(&rd);
}
