// SPDX-License-Identifier: GPL-2.0-only
/*
 * struct renamedata has a user namespace for either side: v5.12 to v6.2; drop when the minimum
 * is v6.3.
 */
#include <linux/fs.h>

int probe(struct inode *dir, struct user_namespace *ns);
int probe(struct inode *dir, struct user_namespace *ns)
{
	struct renamedata rd = { };

	rd.old_dir = dir;
	rd.new_dir = dir;
	rd.old_mnt_userns = ns;
	rd.new_mnt_userns = ns;
	return vfs_rename(&rd);
}
