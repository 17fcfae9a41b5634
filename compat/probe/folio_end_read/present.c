// SPDX-License-Identifier: GPL-2.0-only
/* folio_end_read(): since v6.7; drop when the minimum is v6.7. */
#include <linux/pagemap.h>

void probe(struct folio *folio);
void probe(struct folio *folio)
{
	folio_end_read(folio, true);
}
