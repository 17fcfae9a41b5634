// SPDX-License-Identifier: GPL-2.0-only
/* folio_lock_killable() is missing: v5.10 to v5.15; drop when the minimum is v5.16. */
#include <linux/pagemap.h>
#include "../absent.h"

OD_ABSENT(folio_lock_killable);
