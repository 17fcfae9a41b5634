// SPDX-License-Identifier: GPL-2.0-only
/* folio_zero_segment() is missing: v5.10 to v5.16; drop when the minimum is v5.17. */
#include <linux/highmem.h>
#include "../absent.h"

OD_ABSENT(folio_zero_segment);
