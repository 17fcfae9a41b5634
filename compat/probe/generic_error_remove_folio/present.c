// SPDX-License-Identifier: GPL-2.0-only
/* generic_error_remove_folio(): since v6.8; drop when the minimum is v6.8. */
#include <linux/mm.h>

int probe(struct address_space *mapping, struct folio *folio);
int probe(struct address_space *mapping, struct folio *folio)
{
	return generic_error_remove_folio(mapping, folio);
}
