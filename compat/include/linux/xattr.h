/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * vfs_getxattr() and vfs_setxattr() take an idmap first; before, that was a user namespace, and
 * originally nothing. Callers pass &nop_mnt_idmap.
 */
#ifndef OD_COMPAT_LINUX_XATTR_H
#define OD_COMPAT_LINUX_XATTR_H

#include_next <linux/xattr.h>
#include <linux/mnt_idmapping.h>
#include "od_probes.h"

#if defined(OD_HAVE_VFS_XATTR_USERNS)
#include <linux/user_namespace.h>
#define vfs_getxattr(idmap, ...) vfs_getxattr(&init_user_ns, __VA_ARGS__)
#define vfs_setxattr(idmap, ...) vfs_setxattr(&init_user_ns, __VA_ARGS__)
#elif defined(OD_HAVE_VFS_XATTR_PLAIN)
#define vfs_getxattr(idmap, ...) vfs_getxattr(__VA_ARGS__)
#define vfs_setxattr(idmap, ...) vfs_setxattr(__VA_ARGS__)
#endif

#endif /* OD_COMPAT_LINUX_XATTR_H */
