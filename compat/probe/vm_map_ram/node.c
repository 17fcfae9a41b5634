// SPDX-License-Identifier: GPL-2.0-only
/* vm_map_ram() takes pages, their number and a node: since v5.8; drop when RHEL 8 is. */
#include <linux/vmalloc.h>

void *probe(struct page **pages);
void *probe(struct page **pages)
{
	return vm_map_ram(pages, 2, NUMA_NO_NODE);
}
