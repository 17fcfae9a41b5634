// SPDX-License-Identifier: GPL-2.0-only
/*
 * statx() does not report the alignment of direct I/O: v5.10 to v6.0; drop when the minimum is
 * v6.1.
 */
#include <linux/fs.h>
#include <linux/stat.h>
#include "../absent.h"

OD_ABSENT_MEMBER(struct kstat, dio_mem_align);
