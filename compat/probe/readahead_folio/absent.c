// SPDX-License-Identifier: GPL-2.0-only
/* readahead_folio() is missing: v5.10 to v5.15; drop when the minimum is v5.16. */
#include <linux/pagemap.h>
#include "../absent.h"

OD_ABSENT(readahead_folio);
