// SPDX-License-Identifier: GPL-2.0-only
/* fs_ftype_to_dtype() is missing: v4.18 to v5.0, and RHEL 8.10; drop when RHEL 8 is. */
#include <linux/fs.h>
#include "../absent.h"

OD_ABSENT(fs_ftype_to_dtype);
