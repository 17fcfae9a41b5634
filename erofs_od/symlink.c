// SPDX-License-Identifier: GPL-2.0-only
/*
 * Symbolic links. A target that follows its inode is read along with it, others when they are
 * followed. Their blocks are cached with the metadata.
 */
#include "internal.h"

#include <linux/namei.h>
#include <linux/ratelimit.h>
#include <linux/slab.h>

static int check_link(struct erofs_od_sb_info *sbi, u64 nid, const char *link, u64 size)
{
	if (size && size < PATH_MAX && (!link || !memchr(link, 0, size)))
		return 0;
	erofs_od_err_ratelimited(sbi, "inode %llu: corrupt: invalid link target", nid);
	return -EUCLEAN;
}

/**
 * erofs_od_read_fast_link - read the target of a link if it follows the inode
 * @sbi: mount
 * @od: inode of a link
 * @link: the target, to be freed by the caller; NULL if it is stored elsewhere
 *
 * Context: sleeps, killably.
 */
int erofs_od_read_fast_link(struct erofs_od_sb_info *sbi, const struct od_inode *od, char **link)
{
	struct od_extent found;
	int err;

	*link = NULL;
	err = check_link(sbi, od->nid, NULL, od->size);
	if (err || od->layout != OD_LAYOUT_FLAT_INLINE)
		return err;
	if (od_chunkmap(&sbi->tab, od, 0, NULL, &found) || !(found.flags & OD_EXTENT_INLINE) ||
	    found.len < od->size)
		return 0;
	*link = kzalloc(od->size + 1, GFP_KERNEL);
	if (!*link)
		return -ENOMEM;
	err = erofs_od_meta_copy(sbi, erofs_od_home(sbi, od->nid), found.off, *link, od->size);
	if (!err)
		err = check_link(sbi, od->nid, *link, od->size);
	if (err) {
		kfree(*link);
		*link = NULL;
	}
	return err;
}

static const char *get_link(struct dentry *dentry, struct inode *inode,
			    struct delayed_call *done)
{
	struct erofs_od_sb_info *sbi = EROFS_OD_SB(inode->i_sb);
	const struct od_inode *od = &EROFS_OD_I(inode)->od;
	size_t size = i_size_read(inode);
	char *link;
	int err;

	/* RCU walk must not sleep. */
	if (!dentry)
		return ERR_PTR(-ECHILD);
	link = kzalloc(size + 1, GFP_KERNEL);
	if (!link)
		return ERR_PTR(-ENOMEM);
	err = erofs_od_copy_bytes(sbi, od, 0, link, size);
	if (!err)
		err = check_link(sbi, od->nid, link, size);
	if (err) {
		kfree(link);
		return ERR_PTR(err);
	}
	set_delayed_call(done, kfree_link, link);
	return link;
}

const struct inode_operations erofs_od_fast_symlink_iops = {
	.get_link = simple_get_link,
	.getattr = erofs_od_getattr,
	.listxattr = erofs_od_listxattr,
};

const struct inode_operations erofs_od_symlink_iops = {
	.get_link = get_link,
	.getattr = erofs_od_getattr,
	.listxattr = erofs_od_listxattr,
};
