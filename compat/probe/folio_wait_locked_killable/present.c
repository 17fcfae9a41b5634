// SPDX-License-Identifier: GPL-2.0-only
/* folio_wait_locked_killable(): since v5.16; drop when the minimum is v5.16. */
#include <linux/pagemap.h>

int probe(struct folio *folio);
int probe(struct folio *folio)
{
	return folio_wait_locked_killable(folio);
}
