/* SPDX-License-Identifier: GPL-2.0-only */
/* What <linux/fs.h> does not have yet on older kernels. */
#ifndef OD_COMPAT_LINUX_FS_H
#define OD_COMPAT_LINUX_FS_H

#include_next <linux/fs.h>
#include "od_probes.h"

#ifndef OD_HAVE_INODE_SET_MTIME
static inline void inode_set_mtime(struct inode *inode, time64_t sec, long nsec)
{
	inode->i_mtime.tv_sec = sec;
	inode->i_mtime.tv_nsec = nsec;
}

static inline void inode_set_atime(struct inode *inode, time64_t sec, long nsec)
{
	inode->i_atime.tv_sec = sec;
	inode->i_atime.tv_nsec = nsec;
}
#endif

#ifndef OD_HAVE_INODE_SET_CTIME
static inline void inode_set_ctime(struct inode *inode, time64_t sec, long nsec)
{
	inode->i_ctime.tv_sec = sec;
	inode->i_ctime.tv_nsec = nsec;
}
#endif

#ifndef OD_HAVE_INODE_STATE_READ_ONCE
#define inode_state_read_once(inode)	READ_ONCE((inode)->i_state)
#endif

#ifndef OD_HAVE_SUPER_SET_UUID
static inline void super_set_uuid(struct super_block *sb, const u8 *uuid, unsigned int len)
{
	memcpy(&sb->s_uuid, uuid, min_t(size_t, len, sizeof(sb->s_uuid)));
}
#endif

#ifndef OD_HAVE_GET_INODE_ACL
/* The name of an inode operation; nothing else in the modules has this name. */
#define get_inode_acl	get_acl
#endif

/*
 * s_xattr gained a const in v6.7. The cast is right for both: no kernel ever
 * writes through it.
 */
static inline void od_compat_set_xattr_handlers(struct super_block *sb,
						const struct xattr_handler *const *handlers)
{
	sb->s_xattr = (const struct xattr_handler **)handlers;
}

#endif /* OD_COMPAT_LINUX_FS_H */
