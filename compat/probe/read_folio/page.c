// SPDX-License-Identifier: GPL-2.0-only
/* The address space operation readpage(): v5.10 to v5.18; drop when the minimum is v5.19. */
#include <linux/fs.h>

typedef int (*probe_read)(struct file *file, struct page *page);
probe_read probe(const struct address_space_operations *ops);
probe_read probe(const struct address_space_operations *ops)
{
	return ops->readpage;
}
