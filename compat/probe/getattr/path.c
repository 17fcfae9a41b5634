// SPDX-License-Identifier: GPL-2.0-only
/*
 * The inode operation getattr() and generic_fillattr() take no mapping of owners:
 * v5.10 to v5.11; drop when the minimum is v5.12.
 */
#include <linux/fs.h>
#include <linux/stat.h>

typedef int (*probe_getattr)(const struct path *path, struct kstat *stat, u32 mask,
			     unsigned int flags);
probe_getattr probe(const struct inode_operations *ops, struct inode *inode, struct kstat *stat);
probe_getattr probe(const struct inode_operations *ops, struct inode *inode, struct kstat *stat)
{
	generic_fillattr(inode, stat);
	return ops->getattr;
}
