// SPDX-License-Identifier: GPL-2.0-only
/* dentry_open() does not take __FMODE_NONOTIFY: since v6.14; drop when the minimum is v6.14. */
#include <linux/fs.h>

#ifdef __FMODE_NONOTIFY
#error "it is there"
#endif
