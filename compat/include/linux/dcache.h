/* SPDX-License-Identifier: GPL-2.0-only */
/* Parts of <linux/dcache.h> that differ in older kernels. */
#ifndef OD_COMPAT_LINUX_DCACHE_H
#define OD_COMPAT_LINUX_DCACHE_H

#include_next <linux/dcache.h>
#include "od_probes.h"

/* Until v5.2 it had no struct qstr. */
static inline const unsigned char *od_compat_snapshot_name(const struct name_snapshot *snapshot)
{
#ifdef OD_HAVE_NAME_SNAPSHOT_QSTR
	return snapshot->name.name;
#else
	return snapshot->name;
#endif
}

#endif /* OD_COMPAT_LINUX_DCACHE_H */
