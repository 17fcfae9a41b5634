// SPDX-License-Identifier: GPL-2.0-only
/* The image of a mount: its superblock, and the tables read at mount time. */
#include "internal.h"

#include <linux/crc32c.h>
#include <linux/slab.h>

static int verify_checksum(struct erofs_od_sb_info *sbi)
{
	u32 len = sbi->od.checksum_len;
	u8 *p;
	int err;

	if (!(sbi->od.compat & OD_FEATURE_COMPAT_SB_CHKSUM))
		return 0;
	p = kvmalloc(len, GFP_KERNEL);
	if (!p)
		return -ENOMEM;
	err = erofs_od_meta_copy(sbi, sbi->blobs[0], OD_SB_OFFSET, p, len);
	if (!err) {
		((struct od_disk_sb *)p)->checksum = 0;
		if (crc32c(~0U, p, len) != sbi->od.checksum)
			err = -EUCLEAN;
	}
	kvfree(p);
	if (err)
		erofs_od_err(sbi, "failed to verify superblock checksum: %d", err);
	return err;
}

static int read_super(struct erofs_od_sb_info *sbi)
{
	const char *why = "too short for a superblock";
	struct od_disk_sb disk;
	int err;

	err = erofs_od_meta_copy(sbi, sbi->blobs[0], OD_SB_OFFSET, &disk, sizeof(disk));
	if (err == -EUCLEAN)
		err = -EINVAL;
	else if (err)
		why = "superblock cannot be read";
	else
		err = od_sb_parse(&disk, PAGE_SHIFT, &sbi->od, &why);
	if (!err && sbi->fsoffset & ((1U << sbi->od.blkbits) - 1)) {
		why = "fsoffset= is not a multiple of the block size";
		err = -EINVAL;
	}
	if (!err) {
		sbi->generation = erofs_od_generation(sbi->fsid ?: "", &disk);
		return verify_checksum(sbi);
	}
	if (err == -EOPNOTSUPP)
		erofs_od_err(sbi, "unsupported feature: %s", why);
	else
		erofs_od_err(sbi, "invalid image: %s: %d", why, err);
	return err;
}

static void report_volume(struct erofs_od_sb_info *sbi, int err)
{
	const char *name = sbi->domain_id ?: sbi->fsid;

	switch (err) {
	case -ENOTCONN:
		erofs_od_err(sbi, "no cache is bound: is the daemon running? (%d)", err);
		break;
	case -EBUSY:
		erofs_od_err(sbi, "already mounted with other options, or volume \"erofs,%s\" is in use: %d",
			     name, err);
		break;
	default:
		erofs_od_err(sbi, "failed to acquire volume \"erofs,%s\": %d", name, err);
	}
}

/* Inodes whose number has the top bit set are in the metabox. */
static int read_metabox(struct erofs_od_sb_info *sbi)
{
	const char *why = "cannot be read";
	struct od_disk_sb_metabox disk;
	struct od_inode od;
	int err;

	if (!sbi->od.metabox)
		return 0;
	err = erofs_od_meta_copy(sbi, sbi->blobs[0], OD_SB_METABOX_OFFSET, &disk, sizeof(disk));
	if (!err)
		err = od_sb_parse_metabox(&disk, &sbi->od, &why);
	if (!err)
		err = erofs_od_read_inode(sbi, sbi->od.metabox_nid, &od);
	if (!err && !S_ISREG(od.mode)) {
		why = "not a regular file";
		err = -EUCLEAN;
	}
	if (!err)
		err = erofs_od_metabox_open(sbi, &od);
	if (err)
		erofs_od_err(sbi, "metabox inode %llu: %s: %d", sbi->od.metabox_nid, why, err);
	return err;
}

/* The packed inode has the fragments of compressed inodes and the xattr name prefixes. */
static int read_packed(struct erofs_od_sb_info *sbi)
{
	int err;

	if (!sbi->od.packed_nid)
		return 0;
	err = erofs_od_read_inode(sbi, sbi->od.packed_nid, &sbi->packed);
	if (!err && !S_ISREG(sbi->packed.mode))
		err = -EUCLEAN;
	if (err)
		erofs_od_err(sbi, "failed to read packed inode %llu: %d", sbi->od.packed_nid, err);
	else
		erofs_od_zsums_new(&sbi->packed.z);
	return err;
}

static int check_root(struct erofs_od_sb_info *sbi)
{
	struct od_inode root;
	int err = erofs_od_read_inode(sbi, sbi->od.root_nid, &root);

	if (err) {
		erofs_od_err(sbi, "failed to read root inode %llu: %d", sbi->od.root_nid, err);
		return err;
	}
	if (!S_ISDIR(root.mode)) {
		erofs_od_err(sbi, "root inode %llu is not a directory", sbi->od.root_nid);
		return -EUCLEAN;
	}
	return 0;
}

/**
 * erofs_od_open_image - open the blobs of a mount and read the image's tables
 * @sbi: mount with its options
 *
 * All of a mount's waiting for the daemon happens here, before the superblock exists: a task
 * that walks all superblocks, as sync(2) does, waits unkillably for each to become ready.
 *
 * Context: sleeps, killably.
 * Return: 0 or an errno; in both cases erofs_od_close_image() undoes it. -EALREADY: the
 * mount has a twin, and nothing was done.
 */
int erofs_od_open_image(struct erofs_od_sb_info *sbi)
{
	int err;

	err = erofs_od_join(sbi);
	if (err == -EALREADY)
		return err;
	if (err) {
		report_volume(sbi, err);
		return err;
	}
	err = erofs_od_open_primary(sbi);
	if (!err)
		err = read_super(sbi);
	if (!err)
		err = erofs_od_zinit(sbi);
	if (!err)
		err = erofs_od_open_devices(sbi);
	if (!err)
		err = read_metabox(sbi);
	if (!err)
		err = read_packed(sbi);
	if (!err)
		err = erofs_od_read_prefixes(sbi);
	if (!err)
		err = check_root(sbi);
	erofs_od_trace_mount(sbi, err);
	return err;
}

/**
 * erofs_od_close_image - undo erofs_od_open_image(), completed or not
 * @sbi: mount; it may be closed already
 */
void erofs_od_close_image(struct erofs_od_sb_info *sbi)
{
	erofs_od_free_prefixes(sbi);
	if (sbi->domain)
		erofs_od_share_end(sbi);
	erofs_od_metabox_end(sbi);
	while (sbi->nr_blobs)
		erofs_od_close_blob(sbi->blobs[--sbi->nr_blobs]);
	erofs_od_local_end(sbi);
	/* No read is in flight any more. */
	erofs_od_zexit(sbi);
	erofs_od_zsums_free(&sbi->packed.z);
	erofs_od_metabox_free(sbi);
	kvfree(sbi->blobs);
	kvfree(sbi->ranges);
	sbi->blobs = NULL;
	sbi->ranges = NULL;
	erofs_od_leave(sbi);
}
