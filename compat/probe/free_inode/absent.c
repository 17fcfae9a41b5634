// SPDX-License-Identifier: GPL-2.0-only
/*
 * Only destroy_inode() exists, which has to wait for the grace period itself: v4.18 to v5.1,
 * and RHEL 8.10; drop when RHEL 8 is.
 */
#include <linux/fs.h>
#include "../absent.h"

OD_ABSENT_MEMBER(struct super_operations, free_inode);
