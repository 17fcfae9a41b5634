/* SPDX-License-Identifier: GPL-2.0-only */
/* vfs_getxattr() and vfs_setxattr() take an idmap first: since v5.12. */
#ifndef OD_COMPAT_LINUX_XATTR_H
#define OD_COMPAT_LINUX_XATTR_H

#include "od_probes.h"
#include_next <linux/xattr.h>
#include <linux/mnt_idmapping.h>

#ifdef OD_HAVE_VFS_XATTR_PLAIN
#define vfs_getxattr(idmap, ...) vfs_getxattr(__VA_ARGS__)
#define vfs_setxattr(idmap, ...) vfs_setxattr(__VA_ARGS__)
#endif

#endif /* OD_COMPAT_LINUX_XATTR_H */
