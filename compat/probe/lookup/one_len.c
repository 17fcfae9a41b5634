// SPDX-License-Identifier: GPL-2.0-only
/*
 * Names are looked up by lookup_one_len() and lookup_one_len_unlocked(): v5.10 to v6.15;
 * drop when the minimum is v6.16.
 */
#include <linux/fs.h>
#include <linux/namei.h>

struct dentry *probe(const char *name, struct dentry *parent, int len);
struct dentry *probe(const char *name, struct dentry *parent, int len)
{
	dput(lookup_one_len(name, parent, len));
	return lookup_one_len_unlocked(name, parent, len);
}
