/* SPDX-License-Identifier: GPL-2.0-only */
#ifndef SHIM_LINUX_SWAB_H
#define SHIM_LINUX_SWAB_H

#include_next <linux/swab.h>

#define swab32	__swab32

#endif /* SHIM_LINUX_SWAB_H */
