// SPDX-License-Identifier: GPL-2.0-only
/*
 * Sleeping tasks ask the freezer not to count them: v5.10 to v6.0; drop when the minimum is
 * v6.1.
 */
#include <linux/freezer.h>

void probe(void);
void probe(void)
{
	freezer_do_not_count();
	freezer_count_unsafe();
}
