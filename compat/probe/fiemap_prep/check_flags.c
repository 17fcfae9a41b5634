// SPDX-License-Identifier: GPL-2.0-only
/*
 * The caller of fiemap() has checked the range and synced, it remains fiemap_check_flags():
 * v2.6.28 to v5.7, and RHEL 8.10; drop when RHEL 8 is.
 */
#include <linux/fiemap.h>
#include <linux/fs.h>

int probe(struct fiemap_extent_info *info);
int probe(struct fiemap_extent_info *info)
{
	return fiemap_check_flags(info, FIEMAP_FLAG_SYNC);
}
