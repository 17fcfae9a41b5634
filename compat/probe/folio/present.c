// SPDX-License-Identifier: GPL-2.0-only
/* struct folio: since v5.16; drop when the minimum is v5.16. */
#include <linux/mm_types.h>
#include <linux/pagemap.h>

struct page *probe(struct page *page);
struct page *probe(struct page *page)
{
	return folio_page(page_folio(page), 0);
}
