// SPDX-License-Identifier: GPL-2.0-only
/* readahead_folio(): since v5.16; drop when the minimum is v5.16. */
#include <linux/pagemap.h>

struct folio *probe(struct readahead_control *rac);
struct folio *probe(struct readahead_control *rac)
{
	return readahead_folio(rac);
}
