// SPDX-License-Identifier: GPL-2.0-only
/* struct folio is missing: v5.10 to v5.15; drop when the minimum is v5.16. */
#include <linux/mm_types.h>
#include <linux/pagemap.h>
#include "../absent.h"

OD_ABSENT(page_folio);
