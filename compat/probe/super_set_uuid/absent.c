// SPDX-License-Identifier: GPL-2.0-only
/* super_set_uuid() is missing: v5.10 to v6.8; drop when the minimum is v6.9. */
#include <linux/fs.h>
#include "../absent.h"

OD_ABSENT(super_set_uuid);
