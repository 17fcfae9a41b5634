/* SPDX-License-Identifier: GPL-2.0-only */
/* Files that the kernel uses internally. */
#ifndef OD_COMPAT_FILEUSE_H
#define OD_COMPAT_FILEUSE_H

#include <linux/fs.h>
#include "od_probes.h"

#ifdef OD_HAVE_FMODE_FSNOTIFY_TWO_BITS
#define OD_FSNOTIFY_BITS	(FMODE_NONOTIFY | FMODE_NONOTIFY_PERM)
#else
#define OD_FSNOTIFY_BITS	FMODE_NONOTIFY
#endif

#ifdef OD_HAVE_S_KERNEL_FILE_PRESENT
#define OD_KERNEL_FILE	S_KERNEL_FILE
#else
#define OD_KERNEL_FILE	0
#endif

/**
 * od_compat_hide_file - keep I/O on an open file from raising events
 * @file: not yet visible to others
 *
 * Listeners for permission events could hold up that I/O, and whatever waits
 * for it.
 */
static inline void od_compat_hide_file(struct file *file)
{
	file->f_mode = (file->f_mode & ~OD_FSNOTIFY_BITS) | FMODE_NONOTIFY;
}

/**
 * od_compat_begin_use - mark an inode as in use by the kernel
 * @inode: of a regular file
 *
 * The stock cachefiles module removes no file that has this mark. A no-op in kernels without
 * it.
 *
 * Return: 0, or -EBUSY if it is marked already.
 */
static inline int od_compat_begin_use(struct inode *inode)
{
	int err = 0;

	inode_lock(inode);
	if (inode->i_flags & OD_KERNEL_FILE)
		err = -EBUSY;
	inode->i_flags |= OD_KERNEL_FILE;
	inode_unlock(inode);
	return err;
}

/**
 * od_compat_end_use - remove the mark
 * @inode: marked by od_compat_begin_use()
 */
static inline void od_compat_end_use(struct inode *inode)
{
	inode_lock(inode);
	inode->i_flags &= ~OD_KERNEL_FILE;
	inode_unlock(inode);
}

#endif /* OD_COMPAT_FILEUSE_H */
