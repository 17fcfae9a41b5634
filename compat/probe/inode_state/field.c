// SPDX-License-Identifier: GPL-2.0-only
/* i_state is a plain field: v5.10 to v6.18; drop when the minimum is v6.19. */
#include <linux/fs.h>
#include "../absent.h"

OD_ABSENT(inode_state_read_once);

bool probe(struct inode *inode);
bool probe(struct inode *inode)
{
	return READ_ONCE(inode->i_state) & I_NEW;
}
