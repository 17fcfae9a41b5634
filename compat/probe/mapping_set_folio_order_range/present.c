// SPDX-License-Identifier: GPL-2.0-only
/* mapping_set_folio_order_range(): since v6.12; drop when the minimum is v6.12. */
#include <linux/pagemap.h>

void probe(struct address_space *mapping);
void probe(struct address_space *mapping)
{
	mapping_set_folio_order_range(mapping, 0, 4);
}
