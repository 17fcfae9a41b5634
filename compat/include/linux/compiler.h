/* SPDX-License-Identifier: GPL-2.0-only */
/* Parts of <linux/compiler.h> that older kernels lack. */
#ifndef OD_COMPAT_LINUX_COMPILER_H
#define OD_COMPAT_LINUX_COMPILER_H

#include_next <linux/compiler.h>
#include "od_probes.h"

#ifdef OD_HAVE_DATA_RACE_ABSENT
#define data_race(expr)	(expr)
#endif

#endif /* OD_COMPAT_LINUX_COMPILER_H */
