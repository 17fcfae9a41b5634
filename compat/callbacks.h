/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Defining functions that older kernels call with other arguments. Each macro replaces the
 * function's head and is followed by its body, which is written for the newest form:
 *
 *	OD_COMPAT_READ_FOLIO(my_read_folio, file, folio)
 *	{
 *		return my_read(folio);
 *	}
 */
#ifndef OD_COMPAT_CALLBACKS_H
#define OD_COMPAT_CALLBACKS_H

#include <linux/fs.h>
#include <linux/pagemap.h>

/* .read_folio of struct address_space_operations; it was readpage() until v5.18. */
#ifdef OD_HAVE_READ_FOLIO_FOLIO
#define OD_COMPAT_READ_FOLIO(name, file, folio)				\
	static int name(struct file *file, struct folio *folio)
#else
#define OD_COMPAT_READ_FOLIO(name, file, folio)				\
	static int name##_newest(struct file *file, struct folio *folio); \
	static int name(struct file *file, struct page *page)		\
	{								\
		return name##_newest(file, page_folio(page));		\
	}								\
	static int name##_newest(struct file *file, struct folio *folio)
#endif

/* .ki_complete of struct kiocb; it had a second result, always 0, until v5.15. */
#ifdef OD_HAVE_KI_COMPLETE_RET
#define OD_COMPAT_KI_COMPLETE(name, iocb, ret)				\
	static void name(struct kiocb *iocb, long ret)
#else
#define OD_COMPAT_KI_COMPLETE(name, iocb, ret)				\
	static void name(struct kiocb *iocb, long ret, long ret2)
#endif

/* .get_inode_acl of struct inode_operations; without RCU until v5.14. */
#ifndef OD_HAVE_GET_ACL_INODE
#define OD_COMPAT_DECLARE_GET_ACL(name)					\
	struct posix_acl *name(struct inode *inode, int type, bool rcu)
#define OD_COMPAT_GET_ACL(name, inode, type, rcu)			\
	struct posix_acl *name(struct inode *inode, int type, bool rcu)
#else
#define OD_COMPAT_DECLARE_GET_ACL(name)					\
	struct posix_acl *name(struct inode *inode, int type)
#define OD_COMPAT_GET_ACL(name, inode, type, rcu)			\
	static struct posix_acl *name##_newest(struct inode *inode,	\
					       int type, bool rcu);	\
	struct posix_acl *name(struct inode *inode, int type)		\
	{								\
		return name##_newest(inode, type, false);		\
	}								\
	static struct posix_acl *name##_newest(struct inode *inode,	\
					       int type, bool rcu)
#endif

/*
 * .getattr of struct inode_operations; before v6.3 its first argument was a user namespace,
 * before v5.12 there was none. generic_fillattr() takes @idmap unchanged.
 */
#if defined(OD_HAVE_GETATTR_PATH)
#define OD_COMPAT_GETATTR(name, idmap, path, stat, mask, flags)		\
	int name(const struct path *path, struct kstat *stat, u32 mask,	\
		 unsigned int flags)
#elif defined(OD_HAVE_GETATTR_USERNS)
#define OD_COMPAT_GETATTR(name, idmap, path, stat, mask, flags)		\
	int name(struct user_namespace *idmap, const struct path *path,	\
		 struct kstat *stat, u32 mask, unsigned int flags)
#else
#define OD_COMPAT_GETATTR(name, idmap, path, stat, mask, flags)		\
	int name(struct mnt_idmap *idmap, const struct path *path,	\
		 struct kstat *stat, u32 mask, unsigned int flags)
#endif
#define OD_COMPAT_DECLARE_GETATTR(name)					\
	OD_COMPAT_GETATTR(name, idmap, path, stat, mask, flags)

/*
 * .free_inode of struct super_operations, called after a grace period; until v5.1 there was
 * only .destroy_inode, which has to wait itself. rcu_barrier() waits for both.
 */
#ifdef OD_HAVE_FREE_INODE_PRESENT
#define OD_COMPAT_FREE_INODE(name, inode)				\
	void name(struct inode *inode)
#else
#define OD_COMPAT_FREE_INODE(name, inode)				\
	static void name##_newest(struct inode *inode);			\
	static void name##_rcu(struct rcu_head *head)			\
	{								\
		name##_newest(container_of(head, struct inode, i_rcu));	\
	}								\
	void name(struct inode *inode)					\
	{								\
		call_rcu(&inode->i_rcu, name##_rcu);			\
	}								\
	static void name##_newest(struct inode *inode)
#endif

#endif /* OD_COMPAT_CALLBACKS_H */
