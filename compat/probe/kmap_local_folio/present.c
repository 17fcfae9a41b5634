// SPDX-License-Identifier: GPL-2.0-only
/* kmap_local_folio(): since v5.16; drop when the minimum is v5.16. */
#include <linux/highmem.h>

void *probe(struct folio *folio);
void *probe(struct folio *folio)
{
	return kmap_local_folio(folio, 0);
}
