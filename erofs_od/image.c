// SPDX-License-Identifier: GPL-2.0-only
/* The image of a mount: its blobs, superblock and device table. */
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
	err = erofs_od_meta_copy(sbi->blobs[0], OD_SB_OFFSET, p, len);
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

	err = erofs_od_meta_copy(sbi->blobs[0], OD_SB_OFFSET, &disk, sizeof(disk));
	if (err == -EUCLEAN)
		err = -EINVAL;
	else if (err)
		why = "superblock cannot be read";
	else
		err = od_sb_parse(&disk, PAGE_SHIFT, &sbi->od, &why);
	if (!err)
		return verify_checksum(sbi);
	if (err == -EOPNOTSUPP)
		erofs_od_err(sbi, "unsupported feature: %s", why);
	else
		erofs_od_err(sbi, "invalid image: %s: %d", why, err);
	return err;
}

/* Opens blob number sbi->nr_blobs. */
static int add_blob(struct erofs_od_sb_info *sbi, const char *name,
		    const struct od_slot *slot)
{
	struct od_blob *range = &sbi->ranges[sbi->nr_blobs];
	struct erofs_od_blob *blob = erofs_od_open_blob(sbi, name);

	if (IS_ERR(blob)) {
		erofs_od_err(sbi, "failed to open blob %*pE: %ld", (int)strlen(name), name,
			     PTR_ERR(blob));
		return PTR_ERR(blob);
	}
	sbi->blobs[sbi->nr_blobs++] = blob;
	range->size = cachefiles_od_cookie_size(blob->cookie);
	if (slot) {
		range->uniaddr = (u64)slot->uniaddr << sbi->od.blkbits;
		range->unilen = (u64)slot->blocks << sbi->od.blkbits;
		if (range->size < range->unilen)
			pr_warn("%s: blob %*pE has %llu bytes instead of %llu\n",
				sbi->fsid, (int)strlen(name), name, range->size,
				range->unilen);
	}
	return 0;
}

static int alloc_blobs(struct erofs_od_sb_info *sbi, unsigned int count)
{
	struct erofs_od_blob **blobs = kvcalloc(count, sizeof(*blobs), GFP_KERNEL);
	struct od_blob *ranges = kvcalloc(count, sizeof(*ranges), GFP_KERNEL);

	if (!blobs || !ranges) {
		kvfree(blobs);
		kvfree(ranges);
		return -ENOMEM;
	}
	if (sbi->nr_blobs) {
		memcpy(blobs, sbi->blobs, sbi->nr_blobs * sizeof(*blobs));
		memcpy(ranges, sbi->ranges, sbi->nr_blobs * sizeof(*ranges));
	}
	kvfree(sbi->blobs);
	kvfree(sbi->ranges);
	sbi->blobs = blobs;
	sbi->ranges = ranges;
	return 0;
}

static int add_device_blob(struct erofs_od_sb_info *sbi, unsigned int nr)
{
	struct od_disk_slot disk;
	struct od_slot slot;
	const char *name;
	int err;

	err = erofs_od_meta_copy(sbi->blobs[0],
				 sbi->od.devt_off + (u64)nr * sizeof(disk), &disk, sizeof(disk));
	if (err) {
		erofs_od_err(sbi, "failed to read device slot %u: %d", nr, err);
		return err;
	}
	od_slot_parse(&disk, &slot);
	name = sbi->nr_devices ? sbi->devices[nr] : slot.tag;
	if (!*name) {
		erofs_od_err(sbi, "device slot %u has no name: device= required", nr);
		return -EINVAL;
	}
	return add_blob(sbi, name, &slot);
}

static int open_devices(struct erofs_od_sb_info *sbi)
{
	unsigned int i;
	int err;

	if (sbi->nr_devices && sbi->nr_devices != sbi->od.extra_devices) {
		erofs_od_err(sbi, "%u device= options for %u device slots", sbi->nr_devices,
			     sbi->od.extra_devices);
		return -EINVAL;
	}
	err = alloc_blobs(sbi, sbi->od.extra_devices + 1);
	for (i = 0; !err && i < sbi->od.extra_devices; i++)
		err = add_device_blob(sbi, i);
	sbi->tab.blkbits = sbi->od.blkbits;
	sbi->tab.count = sbi->nr_blobs;
	sbi->tab.blob = sbi->ranges;
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

/* Fragments of compressed inodes and xattr name prefixes are in the packed inode. */
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
 * All that a mount waits for the daemon for happens here, before the superblock exists:
 * a task that walks all superblocks, in sync(2) for one, waits unkillably for each of
 * them to be ready.
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
	err = alloc_blobs(sbi, 1);
	if (!err)
		err = add_blob(sbi, sbi->fsid, NULL);
	if (!err)
		err = read_super(sbi);
	if (!err)
		err = erofs_od_zinit(sbi);
	if (!err)
		err = open_devices(sbi);
	if (!err)
		err = read_packed(sbi);
	if (!err)
		err = erofs_od_read_prefixes(sbi);
	return err ?: check_root(sbi);
}

/**
 * erofs_od_close_image - undo erofs_od_open_image(), completed or not
 * @sbi: mount
 */
void erofs_od_close_image(struct erofs_od_sb_info *sbi)
{
	erofs_od_free_prefixes(sbi);
	while (sbi->nr_blobs)
		erofs_od_close_blob(sbi->blobs[--sbi->nr_blobs]);
	/* No read is under way any more. */
	erofs_od_zexit(sbi);
	kvfree(sbi->blobs);
	kvfree(sbi->ranges);
	erofs_od_leave(sbi);
}
