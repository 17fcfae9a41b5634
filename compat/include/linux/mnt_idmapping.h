/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The idmap that maps nothing. Before v6.3 it was a user name space, before
 * v5.12 no function took one: there the mirror headers drop the argument, and
 * the header itself is missing.
 */
#ifndef OD_COMPAT_LINUX_MNT_IDMAPPING_H
#define OD_COMPAT_LINUX_MNT_IDMAPPING_H

#include "od_probes.h"

#if __has_include_next(<linux/mnt_idmapping.h>)
#include_next <linux/mnt_idmapping.h>
#endif

#if defined(OD_HAVE_VFS_XATTR_USERNS)
#include <linux/user_namespace.h>
#define nop_mnt_idmap init_user_ns
#endif

#endif /* OD_COMPAT_LINUX_MNT_IDMAPPING_H */
