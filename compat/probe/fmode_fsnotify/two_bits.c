// SPDX-License-Identifier: GPL-2.0-only
/*
 * Two bits of f_mode select which events a file raises: since v6.14; drop when the minimum is
 * v6.14.
 */
#include <linux/fs.h>

int probe(void);
int probe(void)
{
	return (__force int)FMODE_NONOTIFY_PERM;
}
