// SPDX-License-Identifier: GPL-2.0-only
/*
 * start_renaming_dentry() locks both directories and looks up the new name: since v6.19;
 * drop when the minimum is v6.19.
 */
#include <linux/fs.h>
#include <linux/namei.h>

int probe(struct renamedata *rd, struct dentry *dentry, struct qstr *name);
int probe(struct renamedata *rd, struct dentry *dentry, struct qstr *name)
{
	int err = start_renaming_dentry(rd, 0, dentry, name);

	end_renaming(rd);
	return err;
}
