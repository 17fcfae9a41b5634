// SPDX-License-Identifier: GPL-2.0-only
/* Files under /proc have operations of their own: since v5.6; drop when RHEL 8 is. */
#include <linux/proc_fs.h>

void *probe(struct proc_ops *ops);
void *probe(struct proc_ops *ops)
{
	return ops->proc_write;
}
