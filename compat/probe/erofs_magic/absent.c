// SPDX-License-Identifier: GPL-2.0-only
/* EROFS_SUPER_MAGIC_V1 is missing: v4.18 to v5.3, and RHEL 8.10; drop when RHEL 8 is. */
#include <linux/magic.h>
#include "../absent.h"

/* Where defined it is a number, which cannot be declared as a function. */
OD_ABSENT(EROFS_SUPER_MAGIC_V1);
