// SPDX-License-Identifier: GPL-2.0-only
/*
 * lookup_noperm(qstr, parent) and lookup_noperm_unlocked() replaced lookup_one_len(): since v6.16;
 * drop when the minimum is v6.16.
 */
#include <linux/fs.h>
#include <linux/namei.h>

struct dentry *probe(struct dentry *parent, struct qstr *name);
struct dentry *probe(struct dentry *parent, struct qstr *name)
{
	dput(lookup_noperm(name, parent));
	return lookup_noperm_unlocked(name, parent);
}
