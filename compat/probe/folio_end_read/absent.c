// SPDX-License-Identifier: GPL-2.0-only
/* folio_end_read() is missing: v5.10 to v6.6; drop when the minimum is v6.7. */
#include <linux/pagemap.h>
#include "../absent.h"

OD_ABSENT(folio_end_read);
