// SPDX-License-Identifier: GPL-2.0-only
/* kmap_local_page() is missing: v5.10 to v5.10; drop when the minimum is v5.11. */
#include <linux/highmem.h>
#include "../absent.h"

OD_ABSENT(kmap_local_page);
