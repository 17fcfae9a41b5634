// SPDX-License-Identifier: GPL-2.0-only
/* xas_get_order() is missing: v5.10 to v6.9; drop when the minimum is v6.10. */
#include <linux/xarray.h>
#include "../absent.h"

OD_ABSENT(xas_get_order);
