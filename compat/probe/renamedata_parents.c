// SPDX-License-Identifier: GPL-2.0-only
/* struct renamedata names parent dentries: since v6.18; drop when the minimum is v6.18. */
#include <linux/fs.h>
#include <linux/namei.h>

int probe(struct renamedata *rd, struct dentry *dentry, struct qstr *name);
int probe(struct renamedata *rd, struct dentry *dentry, struct qstr *name)
{
	rd->old_parent = dentry;
	rd->new_parent = dentry;
	return start_renaming_dentry(rd, 0, dentry, name);
}
