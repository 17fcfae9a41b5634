// SPDX-License-Identifier: GPL-2.0-only
/* S_KERNEL_FILE: since v5.17; drop when the minimum is v5.17. */
#include <linux/fs.h>

int probe(void);
int probe(void)
{
	return S_KERNEL_FILE;
}
