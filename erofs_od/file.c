// SPDX-License-Identifier: GPL-2.0-only
/* Regular files: the kernel's generic read-only operations, with some replaced. */
#include "internal.h"

#include <linux/huge_mm.h>
#include <linux/module.h>
#include <linux/uaccess.h>
#include <linux/xattr.h>

static ssize_t file_read_iter(struct kiocb *iocb, struct iov_iter *to)
{
	if (iocb->ki_flags & IOCB_DIRECT)
		return erofs_od_direct_read(iocb, to);
	return generic_file_read_iter(iocb, to);
}

/**
 * erofs_od_ioctl - ioctl(2) of files and directories: FS_IOC_GETFSLABEL
 * @file: file
 * @cmd: command
 * @arg: its argument
 *
 * Return: 0; -ENOTTY another command; -EFAULT
 */
long erofs_od_ioctl(struct file *file, unsigned int cmd, unsigned long arg)
{
	struct erofs_od_sb_info *sbi = EROFS_OD_SB(file_inode(file)->i_sb);
	char label[FSLABEL_MAX] = "";

	if (cmd != FS_IOC_GETFSLABEL)
		return -ENOTTY;
	strscpy(label, sbi->od.volume_name, sizeof(label));
	return copy_to_user((void __user *)arg, label, sizeof(label)) ? -EFAULT : 0;
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
	erofs_od_file_fops.unlocked_ioctl = erofs_od_ioctl;
	erofs_od_file_fops.compat_ioctl = erofs_od_ioctl;
	/* Folios may have the size of a huge page. */
	erofs_od_file_fops.get_unmapped_area = thp_get_unmapped_area;
}
