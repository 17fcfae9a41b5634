// SPDX-License-Identifier: GPL-2.0-only
/* mapping_set_large_folios(): since v5.16; drop when the minimum is v5.16. */
#include <linux/pagemap.h>

void probe(struct address_space *mapping);
void probe(struct address_space *mapping)
{
	mapping_set_large_folios(mapping);
}
