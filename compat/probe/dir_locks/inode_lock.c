// SPDX-License-Identifier: GPL-2.0-only
/* The caller locks the directory: v5.10 to v6.18; drop when the minimum is v6.19. */
#include <linux/fs.h>
#include <linux/namei.h>
#include "../absent.h"

OD_ABSENT(start_creating_noperm);

void probe(struct inode *dir);
void probe(struct inode *dir)
{
	inode_lock_nested(dir, I_MUTEX_PARENT);
	inode_unlock(dir);
}
