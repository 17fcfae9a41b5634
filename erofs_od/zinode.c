// SPDX-License-Identifier: GPL-2.0-only
/* Compression: what an image needs, and what each compressed inode says of its map. */
#include "internal.h"
#include "core/zinode.h"
#include "decompressor.h"

#include <linux/slab.h>

static int erofs_od_check_algs(struct erofs_od_mount *m)
{
	unsigned int alg;

	for (alg = 0; alg < OD_ALGS; alg++) {
		if (!(m->od.algs & (1U << alg)) || erofs_od_can_decompress(alg))
			continue;
		erofs_od_err(m, "image needs what is not supported: %s compression, which this kernel does not have",
			     od_alg_name(alg));
		return -EOPNOTSUPP;
	}
	return 0;
}

/* The record of an algorithm at *off, and go on to the next one. */
static int erofs_od_read_zconfig(struct erofs_od_mount *m, unsigned int alg, u64 *off,
				 struct od_zconfig *config, const char **why)
{
	u8 head[2], *p;
	u32 len;
	int err;

	*why = "cannot be read";
	*off = round_up(*off, 4);
	err = erofs_od_meta_copy(m->blobs[0], *off, head, sizeof(head));
	if (err)
		return err;
	len = od_le16(head) ?: 65536;
	p = kmalloc(len, GFP_KERNEL);
	if (!p)
		return -ENOMEM;
	err = erofs_od_meta_copy(m->blobs[0], *off + sizeof(head), p, len);
	if (!err)
		err = od_zconfig_parse(alg, p, len, m->od.blkbits, config, why);
	kfree(p);
	*off += sizeof(head) + len;
	return err;
}

static int erofs_od_get_alg(struct erofs_od_mount *m, unsigned int alg, u64 *off)
{
	struct od_zconfig config = { };
	const char *why = "out of memory";
	int err = 0;

	if (m->od.algs_listed)
		err = erofs_od_read_zconfig(m, alg, off, &config, &why);
	if (!err)
		err = erofs_od_decompressor_get(alg, &config);
	if (err)
		erofs_od_err(m, "settings of %s compression: %s: %d", od_alg_name(alg), why, err);
	else
		m->algs |= 1U << alg;
	return err;
}

/**
 * erofs_od_zinit - prepare to decompress what an image has compressed
 * @m: mount with its superblock read
 *
 * Context: sleeps, killably.
 * Return: 0; -EOPNOTSUPP an algorithm that the kernel does not have, with a log line;
 * or another errno. Either way erofs_od_zexit() undoes it.
 */
int erofs_od_zinit(struct erofs_od_mount *m)
{
	u64 off = m->od.config_off;
	int err = erofs_od_check_algs(m);
	unsigned int alg;

	for (alg = 0; !err && alg < OD_ALGS; alg++)
		if (m->od.algs & (1U << alg))
			err = erofs_od_get_alg(m, alg, &off);
	return err;
}

/**
 * erofs_od_zexit - undo erofs_od_zinit()
 * @m: mount of which nothing is read any more
 */
void erofs_od_zexit(struct erofs_od_mount *m)
{
	unsigned int alg;

	for (alg = 0; alg < OD_ALGS; alg++)
		if (m->algs & (1U << alg))
			erofs_od_decompressor_put(alg);
	m->algs = 0;
}

/**
 * erofs_od_read_packed - read the packed inode, if there is one
 * @m: mount with its blobs open
 *
 * Context: sleeps, killably.
 */
int erofs_od_read_packed(struct erofs_od_mount *m)
{
	int err;

	if (!m->od.packed_nid)
		return 0;
	err = erofs_od_read_inode(m, m->od.packed_nid, &m->packed);
	if (!err && !S_ISREG(m->packed.mode))
		err = -EUCLEAN;
	if (err)
		erofs_od_err(m, "cannot read the packed inode: %d", err);
	return err;
}

/**
 * erofs_od_read_zinode - read the map header of a compressed inode
 * @m: mount
 * @od: the inode, not empty; its @z is the result
 * @why: on failure, what is wrong; untouched if the header could not be read
 *
 * Context: sleeps, killably.
 */
int erofs_od_read_zinode(struct erofs_od_mount *m, struct od_inode *od, const char **why)
{
	u8 p[OD_ZHEADER_SIZE];
	int err = erofs_od_meta_copy(m->blobs[0], od_zinode_header(od), p, sizeof(p));

	return err ?: od_zinode_parse(&m->od, od, p, erofs_od_blob_end(m->blobs[0]), &od->z, why);
}
