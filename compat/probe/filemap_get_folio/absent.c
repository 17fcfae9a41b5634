// SPDX-License-Identifier: GPL-2.0-only
/*
 * filemap_get_folio() and __filemap_get_folio() are missing: v5.10 to v5.15;
 * drop when the minimum is v5.16.
 */
#include <linux/pagemap.h>
#include "../absent.h"

OD_ABSENT(filemap_get_folio);
OD_ABSENT(__filemap_get_folio);
