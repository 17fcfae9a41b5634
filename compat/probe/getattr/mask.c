// SPDX-License-Identifier: GPL-2.0-only
/*
 * generic_fillattr() also takes the mask that was requested: since v6.6;
 * drop when the minimum is v6.6.
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
	generic_fillattr(idmap, STATX_BASIC_STATS, inode, stat);
	return ops->getattr;
}
