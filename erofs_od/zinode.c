// SPDX-License-Identifier: GPL-2.0-only
/* Compression: what an image requires, and the map headers of compressed inodes. */
#include "internal.h"
#include "core/zinode.h"
#include "decompressor.h"

#include <linux/slab.h>

/* Longest record of a configuration: its length has 16 bits, with 0 standing for 65536. */
#define RECORD_MAX	65536U

/* Reads the record at *off and advances to the next one. */
static int read_config(struct erofs_od_sb_info *sbi, unsigned int algorithm, u64 *off,
		       struct od_zconfig *config, const char **why)
{
	struct erofs_od_blob *blob = sbi->blobs[0];
	__le16 head;
	u32 len;
	u8 *p;
	int err;

	*why = "not readable";
	*off = round_up(*off, OD_CONFIG_ALIGN);
	err = erofs_od_meta_copy(sbi, blob, *off, &head, sizeof(head));
	if (err)
		return err;
	len = le16_to_cpu(head) ?: RECORD_MAX;
	p = kvmalloc(len, GFP_KERNEL);
	if (!p)
		return -ENOMEM;
	err = erofs_od_meta_copy(sbi, blob, *off + sizeof(head), p, len);
	if (!err)
		err = od_zconfig_parse(algorithm, p, len, sbi->od.blkbits, config, why);
	kvfree(p);
	*off += sizeof(head) + len;
	return err;
}

static int get_algorithm(struct erofs_od_sb_info *sbi, unsigned int algorithm, u64 *off)
{
	const char *name = od_algorithm_name(algorithm), *why;
	struct od_zconfig config = { };
	int err = 0;

	if (sbi->od.config_off)
		err = read_config(sbi, algorithm, off, &config, &why);
	if (err) {
		erofs_od_err(sbi, "configuration of %s compression: %s: %d", name, why, err);
		return err;
	}
	err = erofs_od_decompressor_get(algorithm, &config);
	if (err) {
		erofs_od_err(sbi, "failed to allocate a decompressor for %s: %d", name, err);
		return err;
	}
	sbi->algorithms |= 1U << algorithm;
	return 0;
}

/**
 * erofs_od_zinit - prepare to decompress the data of an image
 * @sbi: mount with its superblock read
 *
 * An algorithm that the image lists has to be supported. Without a list, LZ4 may or may not be
 * used: if the kernel lacks it, each inode that needs it is refused.
 *
 * Context: sleeps, killably.
 * Return: 0; -EOPNOTSUPP with a log line; or another errno. In all cases erofs_od_zexit()
 * undoes it.
 */
int erofs_od_zinit(struct erofs_od_sb_info *sbi)
{
	u64 off = sbi->od.config_off;
	unsigned int i;
	int err = 0;

	for (i = 0; !err && i < OD_ALGORITHMS; i++) {
		if (!(sbi->od.compr_algs >> i & 1))
			continue;
		if (erofs_od_can_decompress(i)) {
			err = get_algorithm(sbi, i, &off);
		} else if (off) {
			erofs_od_err(sbi, "unsupported feature: %s compression: this kernel has no decompressor",
				     od_algorithm_name(i));
			err = -EOPNOTSUPP;
		}
	}
	return err;
}

/**
 * erofs_od_zexit - undo erofs_od_zinit()
 * @sbi: mount without reads in flight
 */
void erofs_od_zexit(struct erofs_od_sb_info *sbi)
{
	unsigned int i;

	for (i = 0; i < OD_ALGORITHMS; i++)
		if (sbi->algorithms >> i & 1)
			erofs_od_decompressor_put(i);
	sbi->algorithms = 0;
}

/* Checks the algorithms that an inode may use: with encoded extents, any that the image lists. */
static int check_algorithms(const struct erofs_od_sb_info *sbi, const struct od_zinode *z,
			    const char **why)
{
	unsigned int needed = 1U << z->algorithm[0];

	if (z->whole)
		return 0;
	if (z->record_size)
		needed = sbi->od.compr_algs;
	if (needed & ~sbi->od.compr_algs) {
		*why = "compression algorithm that the superblock does not list";
		return -EUCLEAN;
	}
	if (needed & ~sbi->algorithms) {
		*why = "compression: this kernel has no decompressor";
		return -EOPNOTSUPP;
	}
	return 0;
}

/**
 * erofs_od_read_zinode - read the map header of a compressed inode
 * @sbi: mount
 * @od: the inode, not empty; its @z is the result
 * @why: on -EUCLEAN and -EOPNOTSUPP, the reason, for a log line
 *
 * Context: sleeps, killably.
 */
int erofs_od_read_zinode(struct erofs_od_sb_info *sbi, struct od_inode *od, const char **why)
{
	struct erofs_od_blob *home = erofs_od_home(sbi, od->nid);
	struct od_disk_zheader disk;
	int err;

	*why = "map beyond the end of the image";
	err = erofs_od_meta_copy(sbi, home, od_zinode_header(od), &disk, sizeof(disk));
	if (!err)
		err = od_zinode_parse(&sbi->od, od, &disk, erofs_od_blob_end(home), &od->z, why);
	return err ?: check_algorithms(sbi, &od->z, why);
}
