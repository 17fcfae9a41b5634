// SPDX-License-Identifier: GPL-2.0-only
/* inode_set_mtime() and inode_set_atime(): since v6.7; drop when the minimum is v6.7. */
#include <linux/fs.h>

void probe(struct inode *inode, time64_t sec, long nsec);
void probe(struct inode *inode, time64_t sec, long nsec)
{
	inode_set_mtime(inode, sec, nsec);
	inode_set_atime(inode, sec, nsec);
}
