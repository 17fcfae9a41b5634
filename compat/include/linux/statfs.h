/* SPDX-License-Identifier: GPL-2.0-only */
/* Parts of <linux/statfs.h> that older kernels lack. */
#ifndef OD_COMPAT_LINUX_STATFS_H
#define OD_COMPAT_LINUX_STATFS_H

#include_next <linux/statfs.h>
#include <linux/kernel.h>
#include "od_probes.h"

#ifdef OD_HAVE_U64_TO_FSID_ABSENT
static inline __kernel_fsid_t u64_to_fsid(u64 id)
{
	return (__kernel_fsid_t){ .val = { lower_32_bits(id), upper_32_bits(id) } };
}
#endif

#endif /* OD_COMPAT_LINUX_STATFS_H */
