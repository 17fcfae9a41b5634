// SPDX-License-Identifier: GPL-2.0-only
/*
 * The inode operation getattr() and generic_fillattr() take a struct mnt_idmap:
 * v6.3 to v6.5; drop when the minimum is v6.6.
 */
#include <linux/fs.h>
#include <linux/stat.h>

typedef int (*probe_getattr)(struct mnt_idmap *idmap, const struct path *path,
			     struct kstat *stat, u32 mask, unsigned int flags);
probe_getattr probe(const struct inode_operations *ops, struct mnt_idmap *idmap,
		    struct inode *inode, struct kstat *stat);
probe_getattr probe(const struct inode_operations *ops, struct mnt_idmap *idmap,
		    struct inode *inode, struct kstat *stat)
{
	generic_fillattr(idmap, inode, stat);
	return ops->getattr;
}
