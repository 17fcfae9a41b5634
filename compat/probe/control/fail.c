// SPDX-License-Identifier: GPL-2.0-only
/* Control: must not compile anywhere, or a probe could not say "no". */
#include <linux/fs.h>

int probe(struct inode *inode);
int probe(struct inode *inode)
{
	return od_no_kernel_has_this_function(inode);
}
