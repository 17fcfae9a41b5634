// SPDX-License-Identifier: GPL-2.0-only
/* POSIX ACLs: attributes that the VFS wants in its own form. */
#include "internal.h"

#include <linux/posix_acl.h>
#include <linux/posix_acl_xattr.h>
#include <linux/slab.h>

/**
 * erofs_od_get_acl - read an ACL
 * @inode: inode
 * @type: ACL_TYPE_ACCESS or ACL_TYPE_DEFAULT
 * @rcu: nothing may be waited for
 *
 * Context: sleeps, killably, but with @rcu.
 * Return: the ACL, NULL when there is none, or an ERR_PTR.
 */
struct posix_acl *erofs_od_get_acl(struct inode *inode, int type, bool rcu)
{
	u8 index = type == ACL_TYPE_ACCESS ? OD_XATTR_ACL_ACCESS : OD_XATTR_ACL_DEFAULT;
	struct posix_acl *acl;
	void *value;
	int size;

	if (rcu)
		return ERR_PTR(-ECHILD);
	size = erofs_od_getxattr(inode, index, "", NULL, 0);
	if (size == -ENODATA || !size)
		return NULL;
	if (size < 0)
		return ERR_PTR(size);
	value = kvmalloc(size, GFP_KERNEL);
	if (!value)
		return ERR_PTR(-ENOMEM);
	size = erofs_od_getxattr(inode, index, "", value, size);
	acl = size < 0 ? ERR_PTR(size) : posix_acl_from_xattr(&init_user_ns, value, size);
	kvfree(value);
	return acl;
}
