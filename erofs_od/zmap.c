// SPDX-License-Identifier: GPL-2.0-only
/* From an offset in a compressed inode to a pcluster in a blob of the mount. */
#include "zmap.h"

#include <linux/ratelimit.h>
#include <linux/sched/signal.h>

/**
 * struct erofs_od_zmap_reader - where a look-up gets the map from
 * @m: mount
 * @may_wait: wait for metadata, killably
 */
struct erofs_od_zmap_reader {
	struct erofs_od_mount *m;
	bool may_wait;
};

static int erofs_od_zmap_read(void *data, u64 off, void *to, u32 len)
{
	const struct erofs_od_zmap_reader *reader = data;
	struct erofs_od_blob *blob = reader->m->blobs[0];

	if (erofs_od_meta_peek(blob, off, to, len))
		return 0;
	cond_resched();
	return reader->may_wait ? erofs_od_meta_copy(blob, off, to, len) : -EAGAIN;
}

/* The map of a hostile image may send a look-up through all of it. */
static int erofs_od_zmap_read_killably(void *data, u64 off, void *to, u32 len)
{
	return fatal_signal_pending(current) ? -EINTR : erofs_od_zmap_read(data, off, to, len);
}

static int erofs_od_zmap_bad(struct erofs_od_mount *m, const struct od_inode *od, u64 pos,
			     const struct od_zextent *x, int err)
{
	const char *name = x->blob < m->nr_blobs ? m->blobs[x->blob]->name : "?";

	if (err == -EUCLEAN || err == -EOPNOTSUPP)
		erofs_od_err_ratelimited(m, "inode %llu: map of byte %llu is corrupt or not supported: pcluster of %u bytes, blob %*pE, offset %llu: %d",
					 od->nid, pos, x->clen, (int)strlen(name), name, x->off,
					 err);
	return err;
}

static int erofs_od_zmap_od(struct erofs_od_mount *m, const struct od_inode *od, u64 pos,
			    bool may_wait, struct od_zextent *x)
{
	struct erofs_od_zmap_reader reader = { m, may_wait };
	const struct od_zmap map = {
		.tab = &m->tab,
		.algs = m->algs,
		.lz4_unpadded = !(m->od.incompat & OD_INCOMPAT_LZ4_0PADDING),
		.packed_size = m->packed.size,
		.read = erofs_od_zmap_read_killably,
		.data = &reader,
	};
	int err = od_zmap(&map, od, &od->z, pos, x);

	return err ? erofs_od_zmap_bad(m, od, pos, x, err) : 0;
}

/* A packed inode need not be compressed: then a run of it is like a plain pcluster. */
static int erofs_od_zmap_packed_plain(struct erofs_od_mount *m, u64 pos, bool may_wait,
				      struct erofs_od_zplace *zplace)
{
	struct erofs_od_place place = { };
	int err = erofs_od_map_od(m, &m->packed, pos, may_wait, &place);

	if (err)
		return err;
	place.len = min3(place.len, m->packed.size - pos, (u64)OD_ZENCODED_MAX);
	zplace->blob = place.blob;
	zplace->x = (struct od_zextent) {
		.start = pos,
		.len = place.len,
		.flags = OD_ZEXTENT_PLAIN,
		.off = place.off,
		.clen = (u32)place.len,
	};
	return 0;
}

static int erofs_od_zmap_fragment(struct erofs_od_mount *m, const struct od_inode *od, u64 pos,
				  bool may_wait, struct erofs_od_zplace *zplace)
{
	u64 at = zplace->x.off + (pos - zplace->x.start), to;
	int err;

	if (!od_inode_is_compressed(&m->packed)) {
		err = erofs_od_zmap_packed_plain(m, at, may_wait, zplace);
	} else {
		err = erofs_od_zmap_od(m, &m->packed, at, may_wait, &zplace->x);
		zplace->blob = zplace->x.flags & OD_ZEXTENT_HOLE ? NULL : m->blobs[zplace->x.blob];
	}
	if (err)
		return err;
	to = zplace->x.start + zplace->x.len - at + pos;
	zplace->start = (s64)(zplace->x.start - at + pos);
	zplace->from = pos;
	zplace->to = min(zplace->to, to);
	return 0;
}

/**
 * erofs_od_zmap - find a byte of a compressed inode
 * @m: mount
 * @od: inode
 * @pos: the byte, below the inode's size
 * @may_wait: wait for metadata
 * @zplace: where it is
 *
 * Context: sleeps, killably if @may_wait.
 * Return: 0; -EAGAIN it would have to wait; -EUCLEAN and -EOPNOTSUPP with a log line;
 * -EINTR; or why metadata could not be read.
 */
int erofs_od_zmap(struct erofs_od_mount *m, const struct od_inode *od, u64 pos, bool may_wait,
		  struct erofs_od_zplace *zplace)
{
	struct od_zextent *x = &zplace->x;
	int err = erofs_od_zmap_od(m, od, pos, may_wait, x);

	if (err)
		return err;
	zplace->start = (s64)x->start;
	zplace->from = x->start;
	zplace->to = x->start + x->len;
	if (x->flags & OD_ZEXTENT_FRAGMENT)
		return erofs_od_zmap_fragment(m, od, pos, may_wait, zplace);
	zplace->blob = x->flags & OD_ZEXTENT_HOLE ? NULL : m->blobs[x->blob];
	return 0;
}

/**
 * erofs_od_zmap_place - find a byte of a compressed file, for those who do not read it
 * @inode: inode
 * @pos: the byte, below the inode's size
 * @place: where it is and how many go with it
 *
 * Context: sleeps, killably.
 * Return: as erofs_od_zmap().
 */
int erofs_od_zmap_place(struct inode *inode, u64 pos, struct erofs_od_place *place)
{
	struct erofs_od_zplace zplace;
	int err = erofs_od_zmap(erofs_od_mount(inode->i_sb), &erofs_od_inode(inode)->od, pos, true,
				&zplace);

	if (err)
		return err;
	place->blob = zplace.blob;
	place->encoded = true;
	place->off = zplace.x.off;
	place->len = zplace.to - pos;
	return 0;
}

/* Bytes of an inode from @pos on of which the map is in memory; starts to read the rest. */
static u64 erofs_od_zmap_ready_od(struct erofs_od_mount *m, const struct od_inode *od, u64 pos,
				  u64 len)
{
	u64 off, wanted = od_zmap_entries(od, &od->z, pos, len, &off), ready, lclusters;

	if (!wanted)
		return len;
	/* Where a fragment starts is known at the end only. */
	if ((od->z.advise & OD_ZADVISE_FRAGMENT) &&
	    erofs_od_meta_start(m->blobs[0], od->z.end - OD_ZINDEX_SIZE, OD_ZINDEX_SIZE) !=
	    OD_ZINDEX_SIZE)
		return 0;
	ready = erofs_od_meta_start(m->blobs[0], off, wanted);
	if (ready == wanted) {
		/* A sequential reader finds it there next time. */
		wanted = min(wanted, od->z.end - off - wanted);
		if (wanted)
			erofs_od_meta_start(m->blobs[0], off + ready, wanted);
		return len;
	}
	/* Entries have at most this many bytes; the last of them tells where an extent ends. */
	lclusters = (pos >> od->z.lclusterbits) + ready / OD_ZINDEX_SIZE;
	lclusters = (lclusters - !!lclusters) << od->z.lclusterbits;
	return lclusters > pos ? min(lclusters - pos, len) : 0;
}

/**
 * erofs_od_zmap_ready - how far can be mapped without a wait?
 * @inode: compressed inode
 * @pos: from this byte on
 * @len: this far
 *
 * Starts to read what is missing, and a bit more.
 *
 * Return: bytes from @pos on.
 */
u64 erofs_od_zmap_ready(struct inode *inode, u64 pos, u64 len)
{
	struct erofs_od_mount *m = erofs_od_mount(inode->i_sb);
	const struct od_inode *od = &erofs_od_inode(inode)->od;
	u64 size = i_size_read(inode);

	if (pos >= size)
		return len;
	if (erofs_od_zdata_is_full(m))
		return 0;
	if (!od->z.whole)
		return erofs_od_zmap_ready_od(m, od, pos, len);
	/* What is no good offset is told to those who read. */
	if (!od_inode_is_compressed(&m->packed) || pos + od->z.fragment >= m->packed.size)
		return len;
	return erofs_od_zmap_ready_od(m, &m->packed, pos + od->z.fragment, min(len, size - pos)) ==
	       min(len, size - pos) ? len : 0;
}
