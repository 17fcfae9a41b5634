// SPDX-License-Identifier: GPL-2.0-only
/*
 * One bit of f_mode, FMODE_NONOTIFY, marks files that raise no events: v5.10 to v6.13;
 * drop when the minimum is v6.14.
 */
#include <linux/fs.h>

#ifdef FMODE_NONOTIFY_PERM
#error "there is another bit"
#endif

int probe(void);
int probe(void)
{
	return (__force int)FMODE_NONOTIFY;
}
