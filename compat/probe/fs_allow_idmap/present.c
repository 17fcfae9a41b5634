// SPDX-License-Identifier: GPL-2.0-only
/* FS_ALLOW_IDMAP: since v5.12; drop when the minimum is v5.12. */
#include <linux/fs.h>

int probe(void);
int probe(void)
{
	return FS_ALLOW_IDMAP;
}
