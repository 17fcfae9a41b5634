/* SPDX-License-Identifier: GPL-2.0-only */
#ifndef SHIM_LINUX_GFP_H
#define SHIM_LINUX_GFP_H

#include <linux/types.h>

#define GFP_KERNEL	0
#define GFP_NOFS	0
#define GFP_ATOMIC	0

#endif /* SHIM_LINUX_GFP_H */
