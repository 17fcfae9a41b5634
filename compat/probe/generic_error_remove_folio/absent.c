// SPDX-License-Identifier: GPL-2.0-only
/* It is still generic_error_remove_page(): v5.10 to v6.7; drop when the minimum is v6.8. */
#include <linux/mm.h>
#include "../absent.h"

OD_ABSENT(generic_error_remove_folio);

int probe(struct address_space *mapping, struct page *page);
int probe(struct address_space *mapping, struct page *page)
{
	return generic_error_remove_page(mapping, page);
}
