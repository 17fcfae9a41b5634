// SPDX-License-Identifier: GPL-2.0-only
/* get_tree_bdev() is missing: v4.18 to v5.2, maybe RHEL 8.10; drop when RHEL 8 is. */
#include <linux/fs.h>
#include <linux/fs_context.h>
#include "../absent.h"

OD_ABSENT(get_tree_bdev);
