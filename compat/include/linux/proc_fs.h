/* SPDX-License-Identifier: GPL-2.0-only */
/* Parts of <linux/proc_fs.h> that older kernels lack. */
#ifndef OD_COMPAT_LINUX_PROC_FS_H
#define OD_COMPAT_LINUX_PROC_FS_H

#include_next <linux/proc_fs.h>
#include "od_probes.h"

/* Names that the modules use for nothing else. */
#ifdef OD_HAVE_PROC_OPS_FILE_OPERATIONS
#define proc_ops	file_operations
#define proc_write	write
#define proc_lseek	llseek
#endif

#endif /* OD_COMPAT_LINUX_PROC_FS_H */
