// SPDX-License-Identifier: GPL-2.0-only
/* u64_to_fsid() is missing: v4.18 to v5.9, and RHEL 8.10; drop when RHEL 8 is. */
#include <linux/statfs.h>
#include "../absent.h"

OD_ABSENT(u64_to_fsid);
