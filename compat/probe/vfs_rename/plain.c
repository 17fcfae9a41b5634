// SPDX-License-Identifier: GPL-2.0-only
/*
 * struct renamedata has directories and no mapping of owners: v5.10 to v5.11, from a v5.10
 * stable release on; drop when the minimum is v5.12.
 */
#include <linux/build_bug.h>
#include <linux/fs.h>

int probe(struct inode *dir);
int probe(struct inode *dir)
{
	struct renamedata rd = { };

	/* Later forms have two more members. */
	BUILD_BUG_ON(sizeof(rd) != 6 * sizeof(void *));
	rd.old_dir = dir;
	rd.new_dir = dir;
	return vfs_rename(&rd);
}
