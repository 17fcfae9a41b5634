// SPDX-License-Identifier: GPL-2.0-only
/* Trace events. */
#include "internal.h"

#include <linux/fs.h>
#include <linux/kdev_t.h>
#include <linux/string.h>

#define CREATE_TRACE_POINTS
#include "trace.h"

/* The image of a mount was opened, or failed to open. */
void erofs_od_trace_mount(const struct erofs_od_sb_info *sbi, int error)
{
	trace_erofs_od_mount(sbi, error);
}

/*
 * A read failed. Compressed directories, symbolic links and the packed inode have no VFS inode
 * here, and during a mount there is no superblock.
 */
void erofs_od_trace_read_failed(const struct erofs_od_source *source, u64 pos, u64 len,
				int error)
{
	const struct inode *inode = source->share ? NULL : source->inode;
	const struct super_block *sb = inode ? inode->i_sb : source->group;
	u64 ino;

	ino = source->share ? source->ino : inode ? inode->i_ino : source->od->nid;
	trace_erofs_od_read_failed(sb ? sb->s_dev : 0, ino, pos, len, error);
}
