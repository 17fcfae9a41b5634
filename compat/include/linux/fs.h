/* SPDX-License-Identifier: GPL-2.0-only */
/* Parts of <linux/fs.h> that older kernels lack. */
#ifndef OD_COMPAT_LINUX_FS_H
#define OD_COMPAT_LINUX_FS_H

#include_next <linux/fs.h>
#include "od_probes.h"

#ifdef OD_HAVE_INODE_SET_MTIME_ABSENT
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

#ifdef OD_HAVE_INODE_SET_CTIME_ABSENT
static inline void inode_set_ctime(struct inode *inode, time64_t sec, long nsec)
{
	inode->i_ctime.tv_sec = sec;
	inode->i_ctime.tv_nsec = nsec;
}
#endif

/* Reads of io_uring that are continued by a callback: until v5.8 there were none. */
#ifndef IOCB_WAITQ
#define IOCB_WAITQ	0
#endif

#ifdef OD_HAVE_INODE_STATE_FIELD
#define inode_state_read_once(inode)	READ_ONCE((inode)->i_state)
#endif

#ifdef OD_HAVE_SUPER_SET_UUID_ABSENT
static inline void super_set_uuid(struct super_block *sb, const u8 *uuid, unsigned int len)
{
	memcpy(&sb->s_uuid, uuid, min_t(size_t, len, sizeof(sb->s_uuid)));
}
#endif

#ifdef OD_HAVE_STREAM_OPEN_ABSENT
/* For a file without a position, so that reads and writes need no lock for it. */
static inline int stream_open(struct inode *inode, struct file *file)
{
	file->f_mode &= ~(FMODE_LSEEK | FMODE_PREAD | FMODE_PWRITE | FMODE_ATOMIC_POS);
	return 0;
}
#endif

#ifdef OD_HAVE_FS_FTYPE_TO_DTYPE_ABSENT
/* EROFS directories have the file types of ext2. */
static inline unsigned char fs_ftype_to_dtype(unsigned int type)
{
	static const unsigned char dtypes[] = {
		DT_UNKNOWN, DT_REG, DT_DIR, DT_CHR, DT_BLK, DT_FIFO, DT_SOCK, DT_LNK,
	};

	return type < ARRAY_SIZE(dtypes) ? dtypes[type] : DT_UNKNOWN;
}
#endif

#ifdef OD_HAVE_FIEMAP_PREP_CHECK_FLAGS
/* The VFS has clipped the range and done any requested write-back. */
static inline int fiemap_prep(struct inode *inode, struct fiemap_extent_info *info, u64 start,
			      u64 *len, u32 flags)
{
	return fiemap_check_flags(info, flags | FIEMAP_FLAG_SYNC);
}
#endif

/* Called with the arguments of OD_COMPAT_GETATTR(). */
#if defined(OD_HAVE_GETATTR_PATH)
#define generic_fillattr(idmap, mask, inode, stat)	generic_fillattr(inode, stat)
#elif !defined(OD_HAVE_GETATTR_MASK)
#define generic_fillattr(idmap, mask, inode, stat)	generic_fillattr(idmap, inode, stat)
#endif

/* Names of operations that the modules use for nothing else. */
#ifdef OD_HAVE_READ_FOLIO_PAGE
#define read_folio	readpage
#endif

#ifndef OD_HAVE_GET_ACL_INODE_ACL
#define get_inode_acl	get_acl
#endif

/* The function is defined by OD_COMPAT_FREE_INODE(). */
#ifdef OD_HAVE_FREE_INODE_ABSENT
#define free_inode	destroy_inode
#endif

#ifdef OD_HAVE_ALLOC_INODE_SB_ABSENT
#define alloc_inode_sb(sb, cache, gfp)	kmem_cache_alloc(cache, gfp)
#endif

#ifdef OD_HAVE_FS_ALLOW_IDMAP_ABSENT
#define FS_ALLOW_IDMAP	0
#endif

/* s_xattr became const in v6.7. The cast is safe for both: no kernel writes through it. */
static inline void od_compat_set_xattr_handlers(struct super_block *sb,
						const struct xattr_handler *const *handlers)
{
	sb->s_xattr = (const struct xattr_handler **)handlers;
}

#endif /* OD_COMPAT_LINUX_FS_H */
