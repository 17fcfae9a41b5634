// SPDX-License-Identifier: GPL-2.0-only
/* Events for tracing. */
#include "internal.h"

#include <linux/fs.h>
#include <linux/kdev_t.h>
#include <linux/string.h>

#define CREATE_TRACE_POINTS
#include "trace.h"

/* The image of a mount was opened, or could not be. */
void erofs_od_trace_mount(const struct erofs_od_sb_info *sbi, int error)
{
	trace_erofs_od_mount(sbi, error);
}

/* Bytes of a file or of metadata were read; there is an event for failure alone. */
void erofs_od_trace_read(const struct inode *inode, u64 pos, u64 len, int error)
{
	if (error)
		trace_erofs_od_read_failed(inode, pos, len, error);
}
