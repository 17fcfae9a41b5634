// SPDX-License-Identifier: GPL-2.0-only
/*
 * inode_set_mtime() and inode_set_atime() are missing: v5.10 to v6.6;
 * drop when the minimum is v6.7.
 */
#include <linux/fs.h>
#include "../absent.h"

OD_ABSENT(inode_set_mtime);
OD_ABSENT(inode_set_atime);
