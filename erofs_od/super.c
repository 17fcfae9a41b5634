// SPDX-License-Identifier: GPL-2.0-only
/* Superblocks: what it takes to mount, and to unmount whatever came of it. */
#include "internal.h"

#include <linux/backing-dev.h>
#include <linux/crc32c.h>
#include <linux/magic.h>
#include <linux/slab.h>
#include <linux/statfs.h>

/* A reader of a far source keeps this much under way. */
#define EROFS_OD_READAHEAD	(8U << 20)

static int erofs_od_statfs(struct dentry *dentry, struct kstatfs *buf)
{
	struct super_block *sb = dentry->d_sb;
	struct erofs_od_mount *m = erofs_od_mount(sb);
	unsigned int i;

	buf->f_type = sb->s_magic;
	buf->f_bsize = sb->s_blocksize;
	buf->f_blocks = m->od.blocks;
	for (i = 1; i < m->tab.count; i++)
		buf->f_blocks += m->tab.blob[i].unilen >> sb->s_blocksize_bits;
	buf->f_files = m->od.inos;
	buf->f_namelen = OD_NAME_MAX;
	buf->f_fsid = u64_to_fsid(huge_encode_dev(sb->s_dev));
	return 0;
}

static const struct super_operations erofs_od_super_ops = {
	.alloc_inode = erofs_od_alloc_inode,
	.free_inode = erofs_od_free_inode,
	.evict_inode = erofs_od_evict_inode,
	.statfs = erofs_od_statfs,
	.show_options = erofs_od_show_options,
};

static int erofs_od_check_sum(struct erofs_od_mount *m)
{
	u32 len = m->od.checksum_len;
	u8 *p;
	int err;

	if (!(m->od.compat & OD_COMPAT_SB_CHKSUM))
		return 0;
	p = kvmalloc(len, GFP_KERNEL);
	if (!p)
		return -ENOMEM;
	err = erofs_od_meta_copy(m->blobs[0], OD_SB_OFFSET, p, len);
	if (!err) {
		memset(p + OD_SB_CHECKSUM_AT, 0, sizeof(u32));
		if (crc32c(~0U, p, len) != m->od.checksum)
			err = -EUCLEAN;
	}
	kvfree(p);
	if (err)
		erofs_od_err(m, "superblock checksum cannot be verified: %d", err);
	return err;
}

static int erofs_od_read_super(struct erofs_od_mount *m)
{
	const char *why = "shorter than a superblock";
	u8 p[OD_SB_SIZE];
	int err;

	err = erofs_od_meta_copy(m->blobs[0], OD_SB_OFFSET, p, sizeof(p));
	if (err == -EUCLEAN)
		err = -EINVAL;
	else if (err)
		why = "cannot read the superblock";
	else
		err = od_sb_parse(p, PAGE_SHIFT, &m->od, &why);
	if (!err)
		return erofs_od_check_sum(m);
	if (err == -EOPNOTSUPP)
		erofs_od_err(m, "image needs what is not supported: %s", why);
	else
		erofs_od_err(m, "not an image that can be mounted: %s: %d", why, err);
	return err;
}

/* Open blob number m->nr_blobs. */
static int erofs_od_add_blob(struct erofs_od_mount *m, const char *name,
			     const struct od_slot *slot)
{
	struct od_blob *range = &m->ranges[m->nr_blobs];
	struct erofs_od_blob *blob = erofs_od_open_blob(m, name);

	if (IS_ERR(blob)) {
		erofs_od_err(m, "cannot open blob %*pE: %ld", (int)strlen(name), name,
			     PTR_ERR(blob));
		return PTR_ERR(blob);
	}
	m->blobs[m->nr_blobs++] = blob;
	range->size = cachefiles_od_cookie_size(blob->cookie);
	if (slot) {
		range->uniaddr = (u64)slot->uniaddr << m->od.blkbits;
		range->unilen = (u64)slot->blocks << m->od.blkbits;
		if (range->size < range->unilen)
			pr_warn("%s: blob %*pE has %llu bytes where the image says %llu\n",
				m->fsid, (int)strlen(name), name, range->size,
				range->unilen);
	}
	return 0;
}

static int erofs_od_alloc_blobs(struct erofs_od_mount *m, unsigned int count)
{
	struct erofs_od_blob **blobs = kvcalloc(count, sizeof(*blobs), GFP_KERNEL);
	struct od_blob *ranges = kvcalloc(count, sizeof(*ranges), GFP_KERNEL);

	if (!blobs || !ranges) {
		kvfree(blobs);
		kvfree(ranges);
		return -ENOMEM;
	}
	if (m->nr_blobs) {
		memcpy(blobs, m->blobs, m->nr_blobs * sizeof(*blobs));
		memcpy(ranges, m->ranges, m->nr_blobs * sizeof(*ranges));
	}
	kvfree(m->blobs);
	kvfree(m->ranges);
	m->blobs = blobs;
	m->ranges = ranges;
	return 0;
}

static int erofs_od_add_device_blob(struct erofs_od_mount *m, unsigned int nr)
{
	u8 p[OD_DEVICE_SLOT_SIZE];
	struct od_slot slot;
	const char *name;
	int err;

	err = erofs_od_meta_copy(m->blobs[0],
				 m->od.devt_off + (u64)nr * OD_DEVICE_SLOT_SIZE, p, sizeof(p));
	if (err) {
		erofs_od_err(m, "cannot read slot %u of the device table: %d", nr, err);
		return err;
	}
	od_slot_parse(p, &slot);
	name = m->nr_devices ? m->devices[nr] : slot.tag;
	if (!*name) {
		erofs_od_err(m, "slot %u of the device table has no name: mount with device=", nr);
		return -EINVAL;
	}
	return erofs_od_add_blob(m, name, &slot);
}

static int erofs_od_open_devices(struct erofs_od_mount *m)
{
	unsigned int i;
	int err;

	if (m->nr_devices && m->nr_devices != m->od.extra_devices) {
		erofs_od_err(m, "%u device= options for %u extra devices", m->nr_devices,
			     m->od.extra_devices);
		return -EINVAL;
	}
	err = erofs_od_alloc_blobs(m, m->od.extra_devices + 1);
	for (i = 0; !err && i < m->od.extra_devices; i++)
		err = erofs_od_add_device_blob(m, i);
	m->tab.blkbits = m->od.blkbits;
	m->tab.count = m->nr_blobs;
	m->tab.blob = m->ranges;
	return err;
}

static void erofs_od_say_no_volume(struct erofs_od_mount *m, int err)
{
	const char *name = m->domain_id ?: m->fsid;

	switch (err) {
	case -ENOTCONN:
		erofs_od_err(m, "no cache is bound: is the daemon running?");
		break;
	case -EBUSY:
		erofs_od_err(m, "volume erofs,%s is in use: mounted already?", name);
		break;
	case -EEXIST:
		erofs_od_err(m, "domain %s has this image mounted already", name);
		break;
	default:
		erofs_od_err(m, "cannot have volume erofs,%s: %d", name, err);
	}
}

static int erofs_od_check_root(struct erofs_od_mount *m)
{
	struct od_inode root;
	int err = erofs_od_read_inode(m, m->od.root_nid, &root);

	if (err) {
		erofs_od_err(m, "cannot read the root directory: %d", err);
		return err;
	}
	if (!S_ISDIR(root.mode)) {
		erofs_od_err(m, "the root directory is none");
		return -EUCLEAN;
	}
	return 0;
}

/**
 * erofs_od_open_image - open the blobs of a mount and read what it needs at once
 * @m: mount with its options
 *
 * All that a mount waits for the daemon for. It does so before there is a
 * superblock: whoever goes through all superblocks, sync(2) among them, waits
 * for each until it is ready, unkillably.
 *
 * Context: sleeps, killably.
 * Return: 0 or an errno; either way erofs_od_close_image() undoes it.
 */
int erofs_od_open_image(struct erofs_od_mount *m)
{
	int err;

	err = erofs_od_join(m);
	if (err) {
		erofs_od_say_no_volume(m, err);
		return err;
	}
	err = erofs_od_alloc_blobs(m, 1);
	if (!err)
		err = erofs_od_add_blob(m, m->fsid, NULL);
	if (!err)
		err = erofs_od_read_super(m);
	if (!err)
		err = erofs_od_zinit(m);
	if (!err)
		err = erofs_od_open_devices(m);
	if (!err)
		err = erofs_od_read_packed(m);
	if (!err)
		err = erofs_od_read_prefixes(m);
	return err ?: erofs_od_check_root(m);
}

/**
 * erofs_od_close_image - undo erofs_od_open_image(), as far as it came
 * @m: mount
 */
void erofs_od_close_image(struct erofs_od_mount *m)
{
	erofs_od_free_prefixes(m);
	erofs_od_zexit(m);
	while (m->nr_blobs)
		erofs_od_close_blob(m->blobs[--m->nr_blobs]);
	kvfree(m->blobs);
	kvfree(m->ranges);
	erofs_od_leave(m);
}

static void erofs_od_setup_super(struct super_block *sb)
{
	struct erofs_od_mount *m = erofs_od_mount(sb);

	m->generation = erofs_od_generation(&m->od);
	sb->s_flags |= SB_RDONLY | SB_NOATIME;
	if (m->acl)
		sb->s_flags |= SB_POSIXACL;
	sb->s_magic = EROFS_SUPER_MAGIC_V1;
	sb->s_maxbytes = MAX_LFS_FILESIZE;
	sb->s_time_gran = 1;
	sb->s_op = &erofs_od_super_ops;
	sb->s_export_op = &erofs_od_export_ops;
	od_compat_set_xattr_handlers(sb, erofs_od_xattr_handlers);
	sb->s_blocksize_bits = m->od.blkbits;
	sb->s_blocksize = 1UL << m->od.blkbits;
	super_set_uuid(sb, m->od.uuid, sizeof(m->od.uuid));
}

static int erofs_od_make_root(struct super_block *sb)
{
	struct erofs_od_mount *m = erofs_od_mount(sb);
	struct inode *root = erofs_od_iget(sb, m->od.root_nid);

	if (IS_ERR(root)) {
		erofs_od_err(m, "cannot have the root directory: %ld", PTR_ERR(root));
		return PTR_ERR(root);
	}
	sb->s_root = d_make_root(root);
	return sb->s_root ? 0 : -ENOMEM;
}

/**
 * erofs_od_fill_super - mount
 * @sb: superblock whose s_fs_info is the mount, its image open
 * @fc: context
 *
 * Whatever fails, erofs_od_kill_sb() undoes what was done.
 */
int erofs_od_fill_super(struct super_block *sb, struct fs_context *fc)
{
	struct erofs_od_mount *m = erofs_od_mount(sb);
	int err;

	m->sb = sb;
	err = super_setup_bdi(sb);
	if (err)
		return err;
	sb->s_bdi->ra_pages = EROFS_OD_READAHEAD >> PAGE_SHIFT;
	sb->s_bdi->io_pages = EROFS_OD_READAHEAD >> PAGE_SHIFT;
	erofs_od_setup_super(sb);
	err = erofs_od_make_root(sb);
	if (!err)
		erofs_od_list_mount(m, true);
	return err;
}

/**
 * erofs_od_kill_sb - unmount, or clean up after a mount that failed
 * @sb: superblock
 */
void erofs_od_kill_sb(struct super_block *sb)
{
	struct erofs_od_mount *m = erofs_od_mount(sb);

	erofs_od_list_mount(m, false);
	/* Evicts all inodes, and with each the reads that wait for the daemon. */
	kill_anon_super(sb);
	erofs_od_close_image(m);
	erofs_od_free_options(m);
	kfree_rcu(m, rcu);
}
