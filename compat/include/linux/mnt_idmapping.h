/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Older kernels do not have this header. nop_mnt_idmap is only named outside compat/ as an
 * argument that the mirrors of other headers drop or replace.
 */
#ifndef OD_COMPAT_LINUX_MNT_IDMAPPING_H
#define OD_COMPAT_LINUX_MNT_IDMAPPING_H

#if __has_include_next(<linux/mnt_idmapping.h>)
#include_next <linux/mnt_idmapping.h>
#endif

#endif /* OD_COMPAT_LINUX_MNT_IDMAPPING_H */
