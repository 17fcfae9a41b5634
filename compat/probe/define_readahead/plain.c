// SPDX-License-Identifier: GPL-2.0-only
/*
 * DEFINE_READAHEAD() takes file, mapping and index: v5.10 to v5.12; drop when the minimum is v5.13.
 */
#include <linux/pagemap.h>

void probe(struct address_space *mapping);
void probe(struct address_space *mapping)
{
	DEFINE_READAHEAD(rac, NULL, mapping, 0);

	page_cache_ra_unbounded(&rac, 1, 0);
}
