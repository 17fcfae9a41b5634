// SPDX-License-Identifier: GPL-2.0-only
/* lock_rename() locks both directories: v5.10 to v6.18; drop when the minimum is v6.19. */
#include <linux/fs.h>
#include <linux/namei.h>
#include "../absent.h"

OD_ABSENT(start_renaming_dentry);

struct dentry *probe(struct dentry *from, struct dentry *to);
struct dentry *probe(struct dentry *from, struct dentry *to)
{
	unlock_rename(from, to);
	return lock_rename(from, to);
}
