// SPDX-License-Identifier: GPL-2.0-only
/* Regular files: the kernel's generic read-only operations, with some replaced. */
#include "internal.h"

#include <linux/module.h>
#include <linux/xattr.h>

static ssize_t file_read_iter(struct kiocb *iocb, struct iov_iter *to)
{
	if (iocb->ki_flags & IOCB_DIRECT)
		return erofs_od_direct_read(iocb, to);
	return generic_file_read_iter(iocb, to);
}

struct file_operations erofs_od_file_fops __ro_after_init;

const struct inode_operations erofs_od_file_iops = {
	.listxattr = erofs_od_listxattr,
	.get_inode_acl = erofs_od_get_acl,
	.fiemap = erofs_od_fiemap,
};

const struct inode_operations erofs_od_special_iops = {
	.listxattr = erofs_od_listxattr,
	.get_inode_acl = erofs_od_get_acl,
};

/* A copy of the kernel's, since mmap and splice operations have changed often. */
void __init erofs_od_file_init(void)
{
	erofs_od_file_fops = generic_ro_fops;
	erofs_od_file_fops.owner = THIS_MODULE;
	erofs_od_file_fops.llseek = erofs_od_llseek;
	erofs_od_file_fops.read_iter = file_read_iter;
}
