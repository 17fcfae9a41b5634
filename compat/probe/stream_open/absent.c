// SPDX-License-Identifier: GPL-2.0-only
/* stream_open() is missing: v4.18 to v5.0, and RHEL 8.10; drop when RHEL 8 is. */
#include <linux/fs.h>
#include "../absent.h"

OD_ABSENT(stream_open);
