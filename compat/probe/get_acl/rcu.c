// SPDX-License-Identifier: GPL-2.0-only
/*
 * The inode operation get_acl() supports RCU walks: v5.15 to v6.1; drop when the minimum is
 * v6.2.
 */
#include <linux/fs.h>

typedef struct posix_acl *(*probe_acl)(struct inode *inode, int type, bool rcu);
probe_acl probe(const struct inode_operations *ops);
probe_acl probe(const struct inode_operations *ops)
{
	return ops->get_acl;
}
