// SPDX-License-Identifier: GPL-2.0-only
/*
 * The metabox: a file in the image, compressed or not, whose contents are inodes, xattrs, maps
 * and inline data of other files. The rest of the module sees it as a blob that has only
 * metadata: meta.c caches it like that of other blobs, and reads it through the map of the
 * metabox inode, like that of any file. It belongs to one mount.
 */
#include "internal.h"

#include <linux/slab.h>

/* Offsets in it must fit a page cache and struct od_blob. */
#define METABOX_MAX	((u64)MAX_LFS_FILESIZE - (1U << 20))

/**
 * struct metabox - metabox of a mount
 * @blob: the blob it is read as
 * @sbi: mount
 * @od: the metabox inode
 * @rcu: keeps @blob.wait until tasks about to wake it up are done with it
 */
struct metabox {
	struct erofs_od_blob blob;
	struct erofs_od_sb_info *sbi;
	struct od_inode od;
	struct rcu_head rcu;
};

static struct metabox *metabox_of(struct erofs_od_blob *blob)
{
	return container_of(blob, struct metabox, blob);
}

static int metabox_map(struct inode *inode, u64 pos, bool may_wait, struct erofs_od_extent *extent)
{
	struct metabox *box = metabox_of(inode->i_private);

	return erofs_od_map_od(box->sbi, &box->od, pos, may_wait, extent);
}

static void metabox_source(struct erofs_od_blob *blob, struct erofs_od_source *source)
{
	struct metabox *box = metabox_of(blob);

	source->sbi = box->sbi;
	source->od = &box->od;
	source->map = metabox_map;
	if (od_inode_is_compressed(&box->od))
		source->submit = erofs_od_zdata_submit;
	source->timeout_ms = READ_ONCE(box->sbi->blobs[0]->timeout_ms);
}

/* Unknown here, and a pcluster is decompressed as a whole anyway: see is_wide. */
static bool metabox_is_present(const struct erofs_od_blob *blob, u64 start, u64 len)
{
	return false;
}

static bool metabox_is_wide(const struct erofs_od_blob *blob)
{
	return true;
}

static const struct erofs_od_backend metabox_backend = {
	.source = metabox_source,
	.is_present = metabox_is_present,
	.is_wide = metabox_is_wide,
};

/**
 * erofs_od_metabox_open - make the metabox of a mount readable
 * @sbi: mount with its blobs open
 * @od: the metabox inode
 *
 * Return: 0; -ENOMEM; -EUCLEAN. In all cases erofs_od_metabox_end() and
 * erofs_od_metabox_free() undo it.
 */
int erofs_od_metabox_open(struct erofs_od_sb_info *sbi, const struct od_inode *od)
{
	struct metabox *box;

	if (od->size > METABOX_MAX)
		return -EUCLEAN;
	box = kzalloc(sizeof(*box), GFP_KERNEL);
	if (!box)
		return -ENOMEM;
	box->sbi = sbi;
	box->od = *od;
	box->blob.name = "metabox";
	box->blob.backend = &metabox_backend;
	box->blob.size = od->size;
	init_waitqueue_head(&box->blob.wait);
	erofs_od_zsums_new(&box->od.z);
	sbi->metabox = &box->blob;
	sbi->tab.metabox_size = od->size;
	return 0;
}

/**
 * erofs_od_metabox_end - end the reads of the metabox of a mount
 * @sbi: mount with its blobs open, or one without a metabox
 *
 * Context: sleeps, never on the daemon.
 */
void erofs_od_metabox_end(struct erofs_od_sb_info *sbi)
{
	struct erofs_od_blob *blob = sbi->metabox;

	if (!blob || !blob->meta)
		return;
	erofs_od_io_end_reads(blob->meta, sbi->blobs, sbi->nr_blobs, blob);
	iput(blob->meta);
}

/**
 * erofs_od_metabox_free - free the metabox of a mount
 * @sbi: mount of which nothing is being read
 */
void erofs_od_metabox_free(struct erofs_od_sb_info *sbi)
{
	struct metabox *box;

	if (!sbi->metabox)
		return;
	box = metabox_of(sbi->metabox);
	erofs_od_zsums_free(&box->od.z);
	sbi->metabox = NULL;
	kfree_rcu(box, rcu);
}
