// SPDX-License-Identifier: GPL-2.0-only
/* There are no idmapped mounts: v5.10 to v5.11; drop when the minimum is v5.12. */
#include <linux/fs.h>
#include <linux/mount.h>
#include "../absent.h"

OD_ABSENT(is_idmapped_mnt);
OD_ABSENT(mnt_user_ns);
