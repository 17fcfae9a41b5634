// SPDX-License-Identifier: GPL-2.0-only
/* kmap_local_page(): since v5.11; drop when the minimum is v5.11. */
#include <linux/highmem.h>

void probe(struct page *page);
void probe(struct page *page)
{
	kunmap_local(kmap_local_page(page));
}
