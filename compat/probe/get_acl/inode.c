// SPDX-License-Identifier: GPL-2.0-only
/*
 * The inode operation get_acl() takes inode and type: v5.10 to v5.14;
 * drop when the minimum is v5.15.
 */
#include <linux/fs.h>

typedef struct posix_acl *(*probe_acl)(struct inode *inode, int type);
probe_acl probe(const struct inode_operations *ops);
probe_acl probe(const struct inode_operations *ops)
{
	return ops->get_acl;
}
