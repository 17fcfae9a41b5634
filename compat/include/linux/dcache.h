/* SPDX-License-Identifier: GPL-2.0-only */
/* What <linux/dcache.h> has in another form on older kernels. */
#ifndef OD_COMPAT_LINUX_DCACHE_H
#define OD_COMPAT_LINUX_DCACHE_H

#include_next <linux/dcache.h>
#include "od_probes.h"

/* Until v5.2 there was no struct qstr in it. */
static inline const unsigned char *od_compat_snapshot_name(const struct name_snapshot *snapshot)
{
#ifdef OD_HAVE_NAME_SNAPSHOT_QSTR
	return snapshot->name.name;
#else
	return snapshot->name;
#endif
}

#endif /* OD_COMPAT_LINUX_DCACHE_H */
