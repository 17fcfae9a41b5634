// SPDX-License-Identifier: GPL-2.0-only
/* EROFS_SUPER_MAGIC_V1: since v5.4; drop when RHEL 8 is. */
#include <linux/magic.h>

unsigned long probe(void);
unsigned long probe(void)
{
	return EROFS_SUPER_MAGIC_V1;
}
