/* SPDX-License-Identifier: GPL-2.0-only */
/* Parts of <linux/stat.h> that older kernels lack. */
#ifndef OD_COMPAT_LINUX_STAT_H
#define OD_COMPAT_LINUX_STAT_H

#include_next <linux/stat.h>
#include "od_probes.h"

/* For requests with STATX_DIOALIGN in @mask, where it exists. */
static inline void od_compat_set_dio_align(struct kstat *stat, u32 mask, u32 align)
{
#ifdef OD_HAVE_DIO_ALIGN_PRESENT
	if (!(mask & STATX_DIOALIGN))
		return;
	stat->result_mask |= STATX_DIOALIGN;
	stat->dio_mem_align = align;
	stat->dio_offset_align = align;
#endif
}

#endif /* OD_COMPAT_LINUX_STAT_H */
