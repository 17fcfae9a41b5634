// SPDX-License-Identifier: GPL-2.0-only
/*
 * DEFINE_READAHEAD() takes the state of the file's readahead: since v5.13;
 * drop when the minimum is v5.13.
 */
#include <linux/pagemap.h>

void probe(struct address_space *mapping, struct file_ra_state *ra);
void probe(struct address_space *mapping, struct file_ra_state *ra)
{
	DEFINE_READAHEAD(rac, NULL, ra, mapping, 0);

	page_cache_ra_unbounded(&rac, 1, 0);
}
