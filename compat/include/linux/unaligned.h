/* SPDX-License-Identifier: GPL-2.0-only */
/* <linux/unaligned.h>, which was <asm/unaligned.h> on older kernels. */
#ifndef OD_COMPAT_LINUX_UNALIGNED_H
#define OD_COMPAT_LINUX_UNALIGNED_H

#include "od_probes.h"

#ifdef OD_HAVE_UNALIGNED_LINUX
#include_next <linux/unaligned.h>
#else
#include <asm/unaligned.h>
#endif

#endif /* OD_COMPAT_LINUX_UNALIGNED_H */
