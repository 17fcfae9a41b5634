// SPDX-License-Identifier: GPL-2.0-only
/*
 * filemap_get_folio() and __filemap_get_folio(): since v5.16;
 * drop when the minimum is v5.16.
 */
#include <linux/pagemap.h>

struct folio *probe(struct address_space *mapping);
struct folio *probe(struct address_space *mapping)
{
	if (filemap_get_folio(mapping, 0))
		return NULL;
	return __filemap_get_folio(mapping, 0, FGP_CREAT | FGP_FOR_MMAP, GFP_NOFS);
}
