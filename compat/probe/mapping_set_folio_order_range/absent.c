// SPDX-License-Identifier: GPL-2.0-only
/* mapping_set_folio_order_range() is missing: v5.10 to v6.11; drop when the minimum is v6.12. */
#include <linux/pagemap.h>
#include "../absent.h"

OD_ABSENT(mapping_set_folio_order_range);
