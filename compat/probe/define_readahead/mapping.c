// SPDX-License-Identifier: GPL-2.0-only
/*
 * page_cache_readahead_unbounded() takes mapping and file, without DEFINE_READAHEAD():
 * v5.8 to v5.9, and RHEL 8.10; drop when RHEL 8 is.
 */
#include <linux/pagemap.h>

void probe(struct address_space *mapping);
void probe(struct address_space *mapping)
{
	page_cache_readahead_unbounded(mapping, NULL, 0, 1, 0);
}
