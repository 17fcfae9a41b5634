// SPDX-License-Identifier: GPL-2.0-only
/* ITER_DEST: since v6.1; drop when the minimum is v6.1. */
#include <linux/uio.h>

unsigned int probe(void);
unsigned int probe(void)
{
	return ITER_DEST;
}
