// SPDX-License-Identifier: GPL-2.0-only
/*
 * start_creating(idmap, parent, qstr) locks, looks up and hands back: since v6.18;
 * drop when the minimum is v6.18.
 */
#include <linux/fs.h>
#include <linux/namei.h>

struct dentry *probe(struct mnt_idmap *idmap, struct dentry *parent, struct qstr *name);
struct dentry *probe(struct mnt_idmap *idmap, struct dentry *parent, struct qstr *name)
{
	struct dentry *dentry = start_creating(idmap, parent, name);

	end_creating(dentry);
	return start_removing(idmap, parent, name);
}
