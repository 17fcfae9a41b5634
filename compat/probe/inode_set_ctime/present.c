// SPDX-License-Identifier: GPL-2.0-only
/* inode_set_ctime(): since v6.6, and in 6.1 stable series; drop when the minimum is v6.6. */
#include <linux/fs.h>

void probe(struct inode *inode, time64_t sec, long nsec);
void probe(struct inode *inode, time64_t sec, long nsec)
{
	inode_set_ctime(inode, sec, nsec);
}
