// SPDX-License-Identifier: GPL-2.0-only
/* mapping_set_large_folios() is missing: v5.10 to v5.15; drop when the minimum is v5.16. */
#include <linux/pagemap.h>
#include "../absent.h"

OD_ABSENT(mapping_set_large_folios);
