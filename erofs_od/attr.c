// SPDX-License-Identifier: GPL-2.0-only
/* statx(2): what stat(2) does not report. */
#include "internal.h"

#include <linux/stat.h>

/* For inodes of every type. Never sleeps: the inode is in memory. */
OD_COMPAT_GETATTR(erofs_od_getattr, idmap, path, stat, mask, flags)
{
	struct inode *inode = d_inode(path->dentry);

	stat->attributes |= STATX_ATTR_IMMUTABLE;
	if (od_inode_is_compressed(&EROFS_OD_I(inode)->od))
		stat->attributes |= STATX_ATTR_COMPRESSED;
	stat->attributes_mask |= STATX_ATTR_IMMUTABLE | STATX_ATTR_COMPRESSED;
	generic_fillattr(idmap, mask, inode, stat);
	if (S_ISREG(inode->i_mode))
		od_compat_set_dio_align(stat, mask, EROFS_OD_SECTOR);
	return 0;
}
