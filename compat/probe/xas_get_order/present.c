// SPDX-License-Identifier: GPL-2.0-only
/*
 * xas_get_order(): since v6.10, and in stable series and vendors' kernels with the page cache
 * fix that introduced it; drop when the minimum is v6.10. It is not called.
 */
#include <linux/xarray.h>

unsigned long probe(void);
unsigned long probe(void)
{
	return sizeof(xas_get_order(NULL));
}
