// SPDX-License-Identifier: GPL-2.0-only
/* Mount contexts and superblocks: mount, remount, unmount. */
#include "internal.h"
#include "share.h"

#include <linux/fs_context.h>
#include <linux/magic.h>
#include <linux/slab.h>
#include <linux/statfs.h>

static int sb_statfs(struct dentry *dentry, struct kstatfs *buf)
{
	struct super_block *sb = dentry->d_sb;
	struct erofs_od_sb_info *sbi = EROFS_OD_SB(sb);
	unsigned int i;

	buf->f_type = sb->s_magic;
	buf->f_bsize = sb->s_blocksize;
	buf->f_blocks = sbi->od.blocks;
	for (i = 1; i < sbi->tab.count; i++)
		buf->f_blocks += sbi->tab.blob[i].unilen >> sb->s_blocksize_bits;
	buf->f_files = sbi->od.inos;
	buf->f_namelen = OD_NAME_MAX;
	buf->f_fsid = u64_to_fsid(huge_encode_dev(sb->s_dev));
	return 0;
}

/*
 * umount -f: fails reads that wait for the daemon, so that files can be closed. The VFS retries
 * failed reads and new ones may start: from now on none waits for long, unless a remount sets
 * another deadline. Reads of local files have no deadline.
 */
static void sb_umount_begin(struct super_block *sb)
{
	struct erofs_od_sb_info *sbi = EROFS_OD_SB(sb);
	unsigned int i;

	if (!sbi->fsid)
		return;
	erofs_od_set_timeout(sbi, EROFS_OD_FORCED_MS);
	/* Metadata is read on behalf of the primary blob, which other mounts may use for data. */
	if (!erofs_od_blob_is_shared(sbi->blobs[0]))
		sbi->blobs[0]->backend->cancel(sbi->blobs[0], sbi->blobs[0]);
	for (i = 0; i < sbi->nr_blobs; i++) {
		/* Pages of shared blobs belong to other mounts, too: this one's tasks leave. */
		wake_up_all(&sbi->blobs[i]->wait);
		sbi->blobs[i]->backend->cancel(sbi->blobs[i], sb);
		if (sbi->metabox)
			sbi->blobs[i]->backend->cancel(sbi->blobs[i], sbi->metabox);
	}
	erofs_od_share_interrupt(sbi);
}

static const struct super_operations super_ops = {
	.alloc_inode = erofs_od_alloc_inode,
	.free_inode = erofs_od_free_inode,
	.evict_inode = erofs_od_evict_inode,
	.statfs = sb_statfs,
	.umount_begin = sb_umount_begin,
	.show_options = erofs_od_show_options,
};

static void setup_super(struct super_block *sb)
{
	struct erofs_od_sb_info *sbi = EROFS_OD_SB(sb);

	sb->s_flags |= SB_RDONLY | SB_NOATIME;
	/* Data that is fetched again may differ from what was measured. */
	if (sbi->fsid)
		sb->s_iflags |= SB_I_IMA_UNVERIFIABLE_SIGNATURE;
	sb->s_stack_depth = sbi->stack_depth;
	if (sbi->acl)
		sb->s_flags |= SB_POSIXACL;
	sb->s_magic = EROFS_SUPER_MAGIC_V1;
	sb->s_maxbytes = MAX_LFS_FILESIZE;
	sb->s_time_gran = 1;
	sb->s_op = &super_ops;
	sb->s_export_op = &erofs_od_export_ops;
	od_compat_set_xattr_handlers(sb, erofs_od_xattr_handlers);
	sb->s_blocksize_bits = sbi->od.blkbits;
	sb->s_blocksize = 1UL << sbi->od.blkbits;
	super_set_uuid(sb, sbi->od.uuid, sizeof(sbi->od.uuid));
}

static int make_root(struct super_block *sb)
{
	struct erofs_od_sb_info *sbi = EROFS_OD_SB(sb);
	struct inode *root = erofs_od_iget(sb, sbi->od.root_nid);

	if (IS_ERR(root)) {
		erofs_od_err(sbi, "failed to read root inode %llu: %ld", sbi->od.root_nid,
			     PTR_ERR(root));
		return PTR_ERR(root);
	}
	sb->s_root = d_make_root(root);
	return sb->s_root ? 0 : -ENOMEM;
}

/* A block device has its own, and for local files the usual one is enough. */
static int setup_bdi(struct super_block *sb)
{
	if (sb->s_bdev)
		return 0;
	if (!EROFS_OD_SB(sb)->fsid)
		return super_setup_bdi(sb);
	erofs_od_common_bdi(sb);
	return 0;
}

/* Called with the image open. On failure erofs_od_kill_sb() cleans up. */
static int fill_super(struct super_block *sb, struct fs_context *fc)
{
	struct erofs_od_sb_info *sbi = EROFS_OD_SB(sb);
	int err;

	sbi->sb = sb;
	if (sb->s_bdev && sb->s_bdev != sbi->bdev) {
		erofs_od_err(sbi, "block device was replaced during mount: %d", -EBUSY);
		return -EBUSY;
	}
	err = setup_bdi(sb);
	if (err)
		return err;
	setup_super(sb);
	err = make_root(sb);
	if (!err)
		erofs_od_list_mount(sbi, true);
	return err;
}

/* Also called for a superblock being shut down, whose sbi may have been freed. */
static int is_twin(struct super_block *sb, struct fs_context *fc)
{
	struct erofs_od_sb_info *sbi = fc->s_fs_info;

	return EROFS_OD_SB(sb) == sbi->twin;
}

static int no_new_super(struct super_block *sb, struct fs_context *fc)
{
	return -ENOENT;
}

/*
 * Shares the twin's superblock. -ENOENT if it does not exist, yet or any more, or if the one
 * found has other options: a remount changed them, or the twin was freed and its memory reused.
 */
static int share_super(struct fs_context *fc)
{
	struct super_block *sb = sget_fc(fc, is_twin, no_new_super);

	if (IS_ERR(sb))
		return PTR_ERR(sb);
	if (!sb->s_root || !erofs_od_same_options(fc->s_fs_info, EROFS_OD_SB(sb))) {
		deactivate_locked_super(sb);
		return -ENOENT;
	}
	fc->root = dget(sb->s_root);
	return 0;
}

static void drop_tree(struct fs_context *fc)
{
	struct super_block *sb = fc->root->d_sb;

	dput(fc->root);
	fc->root = NULL;
	deactivate_locked_super(sb);
}

/* A block device has one superblock, whatever the options other than those that name the image. */
static int get_tree_device(struct fs_context *fc)
{
	struct erofs_od_sb_info *sbi = fc->s_fs_info;
	int err = get_tree_bdev(fc, fill_super);

	if (err || !fc->s_fs_info)
		return err;
	if (!erofs_od_same_files(sbi, EROFS_OD_SB(fc->root->d_sb))) {
		drop_tree(fc);
		erofs_od_err(sbi, "already mounted with other options: %d", -EBUSY);
		return -EBUSY;
	}
	erofs_od_close_image(sbi);
	return 0;
}

/* For a local file or block device. Each mount of a file has its own superblock. */
static int get_tree_local(struct fs_context *fc)
{
	struct erofs_od_sb_info *sbi = fc->s_fs_info;
	int err;

	sbi->source = kstrdup(fc->source, GFP_KERNEL);
	if (!sbi->source)
		return -ENOMEM;
	/* Otherwise the device would be opened for writing. */
	fc->sb_flags |= SB_RDONLY;
	err = erofs_od_open_image(sbi);
	if (!err)
		err = sbi->bdev ? get_tree_device(fc) : get_tree_nodev(fc, fill_super);
	/* As in get_tree(). */
	if (err && fc->s_fs_info)
		erofs_od_close_image(sbi);
	return err;
}

/* A second mount of an image with the same options shares the superblock. */
static int get_tree(struct fs_context *fc)
{
	struct erofs_od_sb_info *sbi = fc->s_fs_info;
	int err;

	err = erofs_od_check_options(fc);
	if (err)
		return err;
	if (!sbi->fsid)
		return get_tree_local(fc);
	while ((err = erofs_od_open_image(sbi)) == -EALREADY) {
		err = share_super(fc);
		if (err != -ENOENT)
			return err;
		err = erofs_od_wait_for_twin(sbi);
		if (err)
			return err;
	}
	if (!err)
		err = get_tree_nodev(fc, fill_super);
	/* Now, since the context may be kept open. NULL once a superblock has taken it. */
	if (err && fc->s_fs_info)
		erofs_od_close_image(sbi);
	return err;
}

/* Options that name the image cannot change and are ignored. */
static int reconfigure(struct fs_context *fc)
{
	struct erofs_od_sb_info *sbi = EROFS_OD_SB(fc->root->d_sb);
	struct erofs_od_sb_info *wanted = fc->s_fs_info;

	if (!sbi->fsid && (wanted->timeout_ms || wanted->share))
		return invalf(fc, "erofs_od: %s= requires fsid=",
			      wanted->timeout_ms ? "timeout" : "share");

	sbi->user_xattr = wanted->user_xattr;
	sbi->acl = wanted->acl;
	WRITE_ONCE(sbi->share, wanted->share);
	erofs_od_set_timeout(sbi, wanted->timeout_ms);
	fc->sb_flags_mask |= SB_RDONLY | SB_POSIXACL;
	fc->sb_flags |= SB_RDONLY;
	fc->sb_flags &= ~SB_POSIXACL;
	if (sbi->acl)
		fc->sb_flags |= SB_POSIXACL;
	return 0;
}

static void free_fc(struct fs_context *fc)
{
	struct erofs_od_sb_info *sbi = fc->s_fs_info;

	/* NULL once a superblock owns it. */
	if (!sbi)
		return;
	erofs_od_close_image(sbi);
	erofs_od_free_options(sbi);
	/* As in erofs_od_kill_sb(): opening an image may take direct reads. */
	kfree_rcu(sbi, rcu);
}

static const struct fs_context_operations context_ops = {
	.parse_param = erofs_od_parse_param,
	.get_tree = get_tree,
	.reconfigure = reconfigure,
	.free = free_fc,
};

/**
 * erofs_od_init_fs_context - start a mount or a remount
 * @fc: its context
 */
int erofs_od_init_fs_context(struct fs_context *fc)
{
	struct erofs_od_sb_info *sbi = kzalloc(sizeof(*sbi), GFP_KERNEL);

	if (!sbi)
		return -ENOMEM;
	sbi->user_xattr = true;
	sbi->acl = true;
	ratelimit_state_init(&sbi->log_limit, DEFAULT_RATELIMIT_INTERVAL, DEFAULT_RATELIMIT_BURST);
	init_waitqueue_head(&sbi->wait);
	init_waitqueue_head(&sbi->encoded_wait);
	if (fc->root) {
		struct erofs_od_sb_info *old = EROFS_OD_SB(fc->root->d_sb);

		sbi->user_xattr = old->user_xattr;
		sbi->acl = old->acl;
		sbi->share = old->share;
		sbi->timeout_ms = old->timeout_ms;
	}
	fc->s_fs_info = sbi;
	fc->ops = &context_ops;
	return 0;
}

/**
 * erofs_od_kill_sb - unmount, or clean up after a failed mount
 * @sb: superblock
 */
void erofs_od_kill_sb(struct super_block *sb)
{
	struct erofs_od_sb_info *sbi = EROFS_OD_SB(sb);

	erofs_od_list_mount(sbi, false);
	/* Evicts all inodes, cancelling their reads that wait for the daemon. */
	if (sbi->bdev)
		kill_block_super(sb);
	else
		kill_anon_super(sb);
	erofs_od_close_image(sbi);
	erofs_od_free_options(sbi);
	/* A completing direct read may still be about to wake up its reader. */
	kfree_rcu(sbi, rcu);
}
