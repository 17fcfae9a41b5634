// SPDX-License-Identifier: GPL-2.0-only
/* Control: must compile wherever the kernel's headers and flags are in order. */
#include <linux/fs.h>

#ifndef __KERNEL__
#error "not compiled as kernel code"
#endif

umode_t probe(struct inode *inode);
umode_t probe(struct inode *inode)
{
	return inode->i_mode;
}
