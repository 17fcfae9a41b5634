// SPDX-License-Identifier: GPL-2.0-only
/* inode_set_ctime() is missing: v5.10 to v6.5; drop when the minimum is v6.6. */
#include <linux/fs.h>
#include "../absent.h"

OD_ABSENT(inode_set_ctime);
