// SPDX-License-Identifier: GPL-2.0-only
/* Files under /proc have file operations: v4.18 to v5.5, and RHEL 8.10; drop when RHEL 8 is. */
#include <linux/proc_fs.h>

void *probe(struct proc_dir_entry *dir, const struct file_operations *ops);
void *probe(struct proc_dir_entry *dir, const struct file_operations *ops)
{
	return proc_create("probe", 0400, dir, ops);
}
