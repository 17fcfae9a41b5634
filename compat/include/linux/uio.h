/* SPDX-License-Identifier: GPL-2.0-only */
/* Parts of <linux/uio.h> that older kernels lack. */
#ifndef OD_COMPAT_LINUX_UIO_H
#define OD_COMPAT_LINUX_UIO_H

#include_next <linux/uio.h>
#include "od_probes.h"

#ifdef OD_HAVE_ITER_DEST_ABSENT
#define ITER_SOURCE	WRITE
#define ITER_DEST	READ
#endif

#endif /* OD_COMPAT_LINUX_UIO_H */
