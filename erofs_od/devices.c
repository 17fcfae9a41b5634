// SPDX-License-Identifier: GPL-2.0-only
/*
 * The blobs of a mount: the primary one, and those of the device table, which are opened in
 * three steps:
 *
 *	start	request each, except those that another mount is opening or closing
 *	finish	wait for those that this mount requested
 *	add	in table order, waiting for those of other mounts only now
 *
 * So a mount that waits for another has finished everything the other may be waiting for.
 */
#include "internal.h"

#include <linux/mm.h>
#include <linux/slab.h>

/* Blobs requested at once: the image claims how many it has, up to 65535. */
#define BATCH	64U

/**
 * struct opening - a device table slot whose blob is being opened
 * @slot: the decoded slot
 * @name: name of its blob
 * @blob: the blob; NULL if not requested, or if another mount is opening or closing it
 */
struct opening {
	struct od_slot slot;
	const char *name;
	struct erofs_od_blob *blob;
};

static int report_open(struct erofs_od_sb_info *sbi, const char *name, int err)
{
	erofs_od_err(sbi, "failed to open blob %*pE: %d", (int)strlen(name), name, err);
	return err;
}

/* Adds an open blob as number sbi->nr_blobs. */
static struct od_blob *add_blob(struct erofs_od_sb_info *sbi, struct erofs_od_blob *blob)
{
	struct od_blob *range = &sbi->ranges[sbi->nr_blobs];

	sbi->blobs[sbi->nr_blobs++] = blob;
	range->size = erofs_od_blob_end(blob);
	return range;
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

/**
 * erofs_od_open_primary - open the blob that a mount is named after
 * @sbi: mount that has joined its domain
 *
 * Context: sleeps, killably, for as long as the daemon takes.
 * Return: 0 or an errno.
 */
int erofs_od_open_primary(struct erofs_od_sb_info *sbi)
{
	struct erofs_od_blob *blob;
	int err = alloc_blobs(sbi, 1);

	if (err)
		return err;
	blob = erofs_od_open_blob(sbi, erofs_od_name(sbi));
	if (IS_ERR(blob))
		return report_open(sbi, erofs_od_name(sbi), PTR_ERR(blob));
	add_blob(sbi, blob);
	return 0;
}

/* A local image whose blobs have no file names contains them itself. */
static bool is_flat(const struct erofs_od_sb_info *sbi)
{
	return !sbi->fsid && !sbi->nr_devices;
}

static int read_slot(struct erofs_od_sb_info *sbi, unsigned int nr, struct opening *opening)
{
	struct od_disk_slot disk;
	int err;

	err = erofs_od_meta_copy(sbi, sbi->blobs[0], sbi->od.devt_off + (u64)nr * sizeof(disk),
				 &disk, sizeof(disk));
	if (err) {
		erofs_od_err(sbi, "failed to read device slot %u: %d", nr, err);
		return err;
	}
	od_slot_parse(&disk, sbi->od.incompat & OD_FEATURE_INCOMPAT_48BIT, &opening->slot);
	if (is_flat(sbi)) {
		opening->name = sbi->source;
		if (opening->slot.uniaddr)
			return 0;
		erofs_od_err(sbi, "device slot %u has no address in the image: device= required",
			     nr);
		return -EINVAL;
	}
	opening->name = sbi->nr_devices ? sbi->devices[nr] : opening->slot.tag;
	if (!*opening->name) {
		erofs_od_err(sbi, "device slot %u has no name: device= required", nr);
		return -EINVAL;
	}
	return 0;
}

static int start(struct erofs_od_sb_info *sbi, struct opening *opening)
{
	const struct od_slot *slot = &opening->slot;
	struct erofs_od_blob *blob;

	if (is_flat(sbi))
		blob = erofs_od_start_part(sbi, slot->uniaddr << sbi->od.blkbits,
					   slot->blocks << sbi->od.blkbits);
	else
		blob = erofs_od_start_blob(sbi, opening->name);
	if (IS_ERR(blob))
		return report_open(sbi, opening->name, PTR_ERR(blob));
	opening->blob = blob;
	return 0;
}

/* Once another blob has failed, this one is abandoned rather than waited for. */
static int finish(struct erofs_od_sb_info *sbi, struct opening *opening, int err)
{
	struct erofs_od_blob *blob = opening->blob;

	if (!blob)
		return err;
	if (err) {
		erofs_od_abandon_blob(blob);
	} else {
		err = erofs_od_finish_blob(blob);
		if (!err)
			return 0;
		report_open(sbi, opening->name, err);
	}
	opening->blob = NULL;
	return err;
}

static int add(struct erofs_od_sb_info *sbi, const struct opening *opening)
{
	struct erofs_od_blob *blob = opening->blob ?: erofs_od_open_blob(sbi, opening->name);
	struct od_blob *range;

	if (IS_ERR(blob))
		return report_open(sbi, opening->name, PTR_ERR(blob));
	range = add_blob(sbi, blob);
	range->uniaddr = opening->slot.uniaddr << sbi->od.blkbits;
	range->unilen = opening->slot.blocks << sbi->od.blkbits;
	if (range->size < range->unilen)
		pr_warn("%*pE: blob %*pE has %llu bytes instead of %llu\n",
			(int)strlen(erofs_od_name(sbi)), erofs_od_name(sbi),
			(int)strlen(opening->name), opening->name, range->size, range->unilen);
	return 0;
}

/* Opens the slots from @first on. On failure only blobs that @sbi has taken stay open. */
static int open_batch(struct erofs_od_sb_info *sbi, unsigned int first, struct opening *openings,
		      unsigned int nr)
{
	unsigned int i;
	int err = 0;

	memset(openings, 0, nr * sizeof(*openings));
	for (i = 0; !err && i < nr; i++)
		err = read_slot(sbi, first + i, &openings[i]) ?: start(sbi, &openings[i]);
	for (i = 0; i < nr; i++)
		err = finish(sbi, &openings[i], err);
	for (i = 0; !err && i < nr; i++)
		err = add(sbi, &openings[i]);
	/* The failed one belonged to another mount. */
	for (; i < nr; i++)
		if (openings[i].blob)
			erofs_od_close_blob(openings[i].blob);
	return err;
}

/**
 * erofs_od_open_devices - open the blobs of the device table
 * @sbi: mount whose superblock has been read
 *
 * Context: sleeps, killably, for as long as the daemon takes.
 * Return: 0 or an errno.
 */
int erofs_od_open_devices(struct erofs_od_sb_info *sbi)
{
	unsigned int count = sbi->od.extra_devices, done, nr;
	struct opening *openings;
	int err;

	if (sbi->nr_devices && sbi->nr_devices != count) {
		erofs_od_err(sbi, "%u device= options for %u device slots", sbi->nr_devices, count);
		return -EINVAL;
	}
	openings = kmalloc_array(min(count, BATCH), sizeof(*openings), GFP_KERNEL);
	err = openings ? alloc_blobs(sbi, count + 1) : -ENOMEM;
	for (done = 0; !err && done < count; done += nr) {
		nr = min(count - done, BATCH);
		err = open_batch(sbi, done, openings, nr);
	}
	kfree(openings);
	sbi->tab.blkbits = sbi->od.blkbits;
	sbi->tab.count = sbi->nr_blobs;
	sbi->tab.blob = sbi->ranges;
	return err;
}
