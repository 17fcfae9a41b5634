// SPDX-License-Identifier: GPL-2.0-only
/* alloc_inode_sb(): since v5.18; drop when the minimum is v5.18. */
#include <linux/fs.h>

void *probe(struct super_block *sb, struct kmem_cache *cache);
void *probe(struct super_block *sb, struct kmem_cache *cache)
{
	return alloc_inode_sb(sb, cache, GFP_KERNEL);
}
