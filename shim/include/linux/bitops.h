/* SPDX-License-Identifier: GPL-2.0-only */
#ifndef SHIM_LINUX_BITOPS_H
#define SHIM_LINUX_BITOPS_H

#include <linux/types.h>

static inline u32 rol32(u32 v, unsigned int by)
{
	return v << (by & 31) | v >> (-by & 31);
}

#endif /* SHIM_LINUX_BITOPS_H */
