// SPDX-License-Identifier: GPL-2.0-only
/* Extended attributes, inline and shared. */
#include "internal.h"

#include <linux/posix_acl_xattr.h>
#include <linux/ratelimit.h>
#include <linux/slab.h>
#include <linux/xattr.h>

/**
 * struct found_xattr - an attribute found by a walk
 * @entry: the on-disk entry, decoded
 * @prefix: its prefix, resolved
 * @value: its value if that is in memory, else NULL
 * @value_off: otherwise its offset in the blob that shared_home() returns
 * @name: buffer for a name that is not in memory
 */
struct found_xattr {
	struct od_xattr_entry entry;
	struct od_xattr_prefix prefix;
	const u8 *value;
	u64 value_off;
	char name[OD_NAME_MAX];
};

/* Return values of visitors other than errors. */
enum { GO_ON, STOP };

typedef int (*xattr_visit)(struct erofs_od_sb_info *sbi,
			   const struct found_xattr *x, void *data);

static int visit_inline(struct erofs_od_sb_info *sbi, const struct od_xattr_body *body,
			struct found_xattr *x, xattr_visit visit,
			void *data)
{
	size_t at = od_xattr_first(body);
	int err;

	for (;;) {
		err = od_xattr_next(body, &at, &x->entry, &x->value);
		if (err == -ENODATA)
			return GO_ON;
		if (!err)
			err = od_xattr_resolve(x->entry.index, sbi->prefixes, sbi->nr_prefixes,
					       &x->prefix);
		if (!err)
			err = visit(sbi, x, data);
		if (err)
			return err;
	}
}

static struct erofs_od_blob *shared_home(const struct erofs_od_sb_info *sbi)
{
	return sbi->od.xattr_in_metabox ? sbi->metabox : sbi->blobs[0];
}

static int read_shared(struct erofs_od_sb_info *sbi, u64 off, struct found_xattr *x)
{
	struct od_disk_xattr_entry head;
	int err;

	if (check_add_overflow(sbi->od.xattr_off, off, &off))
		return -EUCLEAN;
	err = erofs_od_meta_copy(sbi, shared_home(sbi), off, &head, sizeof(head));
	if (err)
		return err;
	od_xattr_entry_head(&head, &x->entry);
	off += sizeof(head);
	err = erofs_od_meta_copy(sbi, shared_home(sbi), off, x->name, x->entry.name_len);
	if (err)
		return err;
	x->entry.name = x->name;
	x->value = NULL;
	x->value_off = off + x->entry.name_len;
	return od_xattr_resolve(x->entry.index, sbi->prefixes, sbi->nr_prefixes, &x->prefix);
}

static int visit_shared(struct erofs_od_sb_info *sbi, const struct od_xattr_body *body,
			struct found_xattr *x, xattr_visit visit,
			void *data)
{
	u32 i;
	int err;

	for (i = 0; i < body->shared_count; i++) {
		err = read_shared(sbi, od_xattr_shared(body, i), x);
		if (!err)
			err = visit(sbi, x, data);
		if (err)
			return err;
	}
	return GO_ON;
}

/* Reads the xattr body of an inode; freed with kvfree(). */
static u8 *read_body(struct erofs_od_sb_info *sbi, const struct od_inode *od,
		     struct od_xattr_body *body)
{
	u8 *p = kvmalloc(od->xattr_size, GFP_KERNEL);
	int err;

	if (!p)
		return ERR_PTR(-ENOMEM);
	err = erofs_od_meta_copy(sbi, erofs_od_home(sbi, od->nid), od->off + od->inode_size, p,
				 od->xattr_size);
	if (!err)
		err = od_xattr_body_parse(p, od->xattr_size, body);
	if (err) {
		kvfree(p);
		return ERR_PTR(err);
	}
	return p;
}

/**
 * walk_xattrs - visit the attributes of an inode
 * @inode: inode
 * @body: its body, in memory
 * @visit: called for each, until it returns nonzero
 * @data: for @visit
 */
static int walk_xattrs(struct inode *inode, const struct od_xattr_body *body,
		       xattr_visit visit, void *data)
{
	struct erofs_od_sb_info *sbi = EROFS_OD_SB(inode->i_sb);
	struct found_xattr *x = kmalloc(sizeof(*x), GFP_KERNEL);
	int err;

	if (!x)
		return -ENOMEM;
	err = visit_inline(sbi, body, x, visit, data);
	if (!err)
		err = visit_shared(sbi, body, x, visit, data);
	kfree(x);
	if (err == -EUCLEAN)
		erofs_od_err_ratelimited(sbi, "inode %llu: corrupt: extended attributes",
					 EROFS_OD_I(inode)->od.nid);
	return err;
}

/**
 * struct xattr_get - search for an attribute
 * @index: short prefix
 * @name: rest of the name
 * @len: its length
 * @buffer: gets the value
 * @size: its size, or 0 to query that of the value
 * @result: bytes in the value
 */
struct xattr_get {
	u8 index;
	const char *name;
	size_t len;
	void *buffer;
	size_t size;
	int result;
};

static int visit_get(struct erofs_od_sb_info *sbi, const struct found_xattr *x,
		     void *data)
{
	struct xattr_get *get = data;
	u16 size = x->entry.value_size;
	int err;

	if (!od_xattr_match(&x->entry, &x->prefix, get->index, get->name, get->len))
		return GO_ON;
	get->result = size;
	if (!get->size)
		return STOP;
	if (size > get->size)
		return -ERANGE;
	if (x->value) {
		memcpy(get->buffer, x->value, size);
		return STOP;
	}
	err = erofs_od_meta_copy(sbi, shared_home(sbi), x->value_off, get->buffer, size);
	return err ?: STOP;
}

/**
 * erofs_od_getxattr - read an attribute
 * @inode: inode
 * @index: short prefix of its name
 * @name: rest of the name
 * @buffer: gets the value
 * @size: its size, or 0 to query that of the value
 *
 * Context: sleeps, killably.
 * Return: bytes in the value; -ENODATA; -ERANGE; -EUCLEAN; -EINTR; -EIO.
 */
int erofs_od_getxattr(struct inode *inode, u8 index, const char *name,
		      void *buffer, size_t size)
{
	struct erofs_od_sb_info *sbi = EROFS_OD_SB(inode->i_sb);
	const struct od_inode *od = &EROFS_OD_I(inode)->od;
	struct xattr_get get = {
		.index = index,
		.name = name,
		.len = strlen(name),
		.buffer = buffer,
		.size = size,
	};
	struct od_xattr_body body;
	int err = 0;
	u8 *p;

	if (!od->xattr_size)
		return -ENODATA;
	p = read_body(sbi, od, &body);
	if (IS_ERR(p))
		return PTR_ERR(p);
	if (!sbi->od.xattr_filter || !od_xattr_absent(&body, index, name, get.len))
		err = walk_xattrs(inode, &body, visit_get, &get);
	kvfree(p);
	if (err == STOP)
		return get.result;
	return err ?: -ENODATA;
}

/**
 * struct xattr_list - list of attributes
 * @buffer: gets the names
 * @size: its size, or 0 to query that of the names
 * @used: bytes that the names take
 */
struct xattr_list {
	char *buffer;
	size_t size;
	size_t used;
};

/* The text of a short prefix, or NULL if such names are hidden. */
static const char *prefix_name(const struct erofs_od_sb_info *sbi, u8 index)
{
	switch (index) {
	case OD_XATTR_USER:
		return sbi->user_xattr ? XATTR_USER_PREFIX : NULL;
	case OD_XATTR_TRUSTED:
		return capable(CAP_SYS_ADMIN) ? XATTR_TRUSTED_PREFIX : NULL;
	case OD_XATTR_SECURITY:
		return XATTR_SECURITY_PREFIX;
	case OD_XATTR_ACL_ACCESS:
		return sbi->acl ? XATTR_NAME_POSIX_ACL_ACCESS : NULL;
	case OD_XATTR_ACL_DEFAULT:
		return sbi->acl ? XATTR_NAME_POSIX_ACL_DEFAULT : NULL;
	default:
		return NULL;
	}
}

static int visit_list(struct erofs_od_sb_info *sbi, const struct found_xattr *x,
		      void *data)
{
	const char *prefix = prefix_name(sbi, x->prefix.base);
	struct xattr_list *list = data;
	size_t prefix_len, len;
	char *to;

	if (!prefix)
		return GO_ON;
	prefix_len = strlen(prefix);
	len = prefix_len + x->prefix.infix_len + x->entry.name_len;
	if (len > XATTR_NAME_MAX)
		return -EUCLEAN;
	if (list->size) {
		if (len + 1 > list->size - list->used)
			return -ERANGE;
		to = list->buffer + list->used;
		memcpy(to, prefix, prefix_len);
		memcpy(to + prefix_len, x->prefix.infix, x->prefix.infix_len);
		memcpy(to + prefix_len + x->prefix.infix_len, x->entry.name, x->entry.name_len);
		to[len] = 0;
	}
	list->used += len + 1;
	return GO_ON;
}

/**
 * erofs_od_listxattr - list the names of attributes
 * @dentry: of the inode
 * @buffer: gets the names, each with a NUL
 * @size: its size, or 0 to query that of the names
 *
 * Context: sleeps, killably.
 * Return: bytes of names, or an errno.
 */
ssize_t erofs_od_listxattr(struct dentry *dentry, char *buffer, size_t size)
{
	struct inode *inode = d_inode(dentry);
	struct erofs_od_sb_info *sbi = EROFS_OD_SB(inode->i_sb);
	const struct od_inode *od = &EROFS_OD_I(inode)->od;
	struct xattr_list list = { .buffer = buffer, .size = size };
	struct od_xattr_body body;
	int err;
	u8 *p;

	if (!od->xattr_size)
		return 0;
	p = read_body(sbi, od, &body);
	if (IS_ERR(p))
		return PTR_ERR(p);
	err = walk_xattrs(inode, &body, visit_list, &list);
	kvfree(p);
	return err ?: (ssize_t)list.used;
}

static int handler_get(const struct xattr_handler *handler, struct dentry *dentry,
		       struct inode *inode, const char *name, void *buffer,
		       size_t size)
{
	if (handler->flags == OD_XATTR_USER && !EROFS_OD_SB(inode->i_sb)->user_xattr)
		return -EOPNOTSUPP;
	return erofs_od_getxattr(inode, handler->flags, name, buffer, size);
}

static const struct xattr_handler user_handler = {
	.prefix = XATTR_USER_PREFIX,
	.flags = OD_XATTR_USER,
	.get = handler_get,
};

static const struct xattr_handler trusted_handler = {
	.prefix = XATTR_TRUSTED_PREFIX,
	.flags = OD_XATTR_TRUSTED,
	.get = handler_get,
};

static const struct xattr_handler security_handler = {
	.prefix = XATTR_SECURITY_PREFIX,
	.flags = OD_XATTR_SECURITY,
	.get = handler_get,
};

const struct xattr_handler *const erofs_od_xattr_handlers[] = {
	&user_handler,
	&nop_posix_acl_access,
	&nop_posix_acl_default,
	&trusted_handler,
	&security_handler,
	NULL
};
