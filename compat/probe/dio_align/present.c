// SPDX-License-Identifier: GPL-2.0-only
/* statx() reports the alignment of direct I/O: since v6.1; drop when the minimum is v6.1. */
#include <linux/fs.h>
#include <linux/stat.h>

void probe(struct kstat *stat);
void probe(struct kstat *stat)
{
	stat->result_mask |= STATX_DIOALIGN;
	stat->dio_mem_align = 512;
	stat->dio_offset_align = 512;
}
