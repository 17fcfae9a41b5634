// SPDX-License-Identifier: GPL-2.0-only
/*
 * start_creating_noperm() and start_removing_dentry() lock the directory and hand back a locked
 * name: since v6.19; drop when the minimum is v6.19.
 */
#include <linux/fs.h>
#include <linux/namei.h>

struct dentry *probe(struct dentry *parent, struct dentry *victim, struct qstr *name);
struct dentry *probe(struct dentry *parent, struct dentry *victim, struct qstr *name)
{
	end_creating(start_creating_noperm(parent, name));
	return start_removing_dentry(parent, victim);
}
