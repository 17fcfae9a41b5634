/* SPDX-License-Identifier: GPL-2.0-only */
/* Parts of <linux/fs_context.h> that older kernels lack. */
#ifndef OD_COMPAT_LINUX_FS_CONTEXT_H
#define OD_COMPAT_LINUX_FS_CONTEXT_H

#include_next <linux/fs_context.h>
#include "od_probes.h"

#ifdef OD_HAVE_GET_TREE_BDEV_ABSENT
/* Only regular files, not block devices, can be mounted locally there. */
static inline int get_tree_bdev(struct fs_context *fc,
				int (*fill_super)(struct super_block *sb, struct fs_context *fc))
{
	errorf(fc, "erofs_od: block devices are not supported on this kernel, files are");
	return -EOPNOTSUPP;
}
#endif

#endif /* OD_COMPAT_LINUX_FS_CONTEXT_H */
