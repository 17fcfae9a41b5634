// SPDX-License-Identifier: GPL-2.0-only
/* get_tree_bdev(): since v5.3; drop when RHEL 8 is. */
#include <linux/fs.h>
#include <linux/fs_context.h>

int probe(struct fs_context *fc, int (*fill_super)(struct super_block *sb, struct fs_context *fc));
int probe(struct fs_context *fc, int (*fill_super)(struct super_block *sb, struct fs_context *fc))
{
	return get_tree_bdev(fc, fill_super);
}
