// SPDX-License-Identifier: GPL-2.0-only
/*
 * The inode operation getattr() and generic_fillattr() take a struct user_namespace:
 * v5.12 to v6.2; drop when the minimum is v6.3.
 */
#include <linux/fs.h>
#include <linux/stat.h>

typedef int (*probe_getattr)(struct user_namespace *ns, const struct path *path,
			     struct kstat *stat, u32 mask, unsigned int flags);
probe_getattr probe(const struct inode_operations *ops, struct user_namespace *ns,
		    struct inode *inode, struct kstat *stat);
probe_getattr probe(const struct inode_operations *ops, struct user_namespace *ns,
		    struct inode *inode, struct kstat *stat)
{
	generic_fillattr(ns, inode, stat);
	return ops->getattr;
}
