// SPDX-License-Identifier: GPL-2.0-only
/* folio_zero_segment(): since v5.17; drop when the minimum is v5.17. */
#include <linux/highmem.h>

void probe(struct folio *folio);
void probe(struct folio *folio)
{
	folio_zero_segment(folio, 0, 1);
}
