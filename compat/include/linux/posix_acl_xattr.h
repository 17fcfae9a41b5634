/* SPDX-License-Identifier: GPL-2.0-only */
/* Parts of <linux/posix_acl_xattr.h> that older kernels lack. */
#ifndef OD_COMPAT_LINUX_POSIX_ACL_XATTR_H
#define OD_COMPAT_LINUX_POSIX_ACL_XATTR_H

#include <linux/fs.h>
#include_next <linux/posix_acl_xattr.h>
#include "od_probes.h"

#ifdef OD_HAVE_POSIX_ACL_HANDLERS_WORKING
/* Before v6.3 the handlers do the work that the VFS does now. */
#define nop_posix_acl_access	posix_acl_access_xattr_handler
#define nop_posix_acl_default	posix_acl_default_xattr_handler
#endif

#endif /* OD_COMPAT_LINUX_POSIX_ACL_XATTR_H */
