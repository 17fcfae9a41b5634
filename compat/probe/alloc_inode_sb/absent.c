// SPDX-License-Identifier: GPL-2.0-only
/* alloc_inode_sb() is missing: v5.10 to v5.17; drop when the minimum is v5.18. */
#include <linux/fs.h>
#include "../absent.h"

OD_ABSENT(alloc_inode_sb);
