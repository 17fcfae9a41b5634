// SPDX-License-Identifier: GPL-2.0-only
/* POSIX ACLs: xattrs that the VFS takes in its own format. */
#include "internal.h"

#include <linux/posix_acl.h>
#include <linux/posix_acl_xattr.h>
#include <linux/slab.h>

static struct posix_acl *read_acl(struct inode *inode, int type)
{
	u8 index = type == ACL_TYPE_ACCESS ? OD_XATTR_ACL_ACCESS : OD_XATTR_ACL_DEFAULT;
	struct posix_acl *acl;
	void *value;
	int size;

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

/* Must not sleep if @rcu is set: the VFS retries without it. */
OD_COMPAT_GET_ACL(erofs_od_get_acl, inode, type, rcu)
{
	return rcu ? ERR_PTR(-ECHILD) : read_acl(inode, type);
}
