/* SPDX-License-Identifier: GPL-2.0-only */
/* Parts of <linux/magic.h> that older kernels lack. */
#ifndef OD_COMPAT_LINUX_MAGIC_H
#define OD_COMPAT_LINUX_MAGIC_H

#include_next <linux/magic.h>
#include "od_probes.h"

#ifdef OD_HAVE_EROFS_MAGIC_ABSENT
#define EROFS_SUPER_MAGIC_V1	0xE0F5E1E2
#endif

#endif /* OD_COMPAT_LINUX_MAGIC_H */
