// SPDX-License-Identifier: GPL-2.0-only
/* i_state is read through inode_state_read_once(): since v6.19; drop when the minimum is v6.19. */
#include <linux/fs.h>

bool probe(struct inode *inode);
bool probe(struct inode *inode)
{
	return inode_state_read_once(inode) & I_NEW;
}
