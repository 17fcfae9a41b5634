// SPDX-License-Identifier: GPL-2.0-only
/* Mapping offsets in a compressed inode to extents and their pclusters in blobs of the mount. */
#include "zmap.h"

#include <linux/ratelimit.h>
#include <linux/sched/signal.h>

/**
 * struct map_reader - how a lookup reads the map
 * @sbi: mount
 * @home: blob that holds the map
 * @may_wait: wait for metadata, killably
 * @missing: first byte that was not in memory
 * @missing_len: bytes from there on
 */
struct map_reader {
	const struct erofs_od_sb_info *sbi;
	struct erofs_od_blob *home;
	bool may_wait;
	u64 missing;
	u32 missing_len;
};

/* A hostile map may make a lookup read all of it. */
static int read_map(void *data, u64 off, void *to, u32 len)
{
	struct map_reader *reader = data;

	if (fatal_signal_pending(current))
		return -EINTR;
	cond_resched();
	if (erofs_od_meta_peek(reader->home, off, to, len))
		return 0;
	if (reader->may_wait)
		return erofs_od_meta_copy(reader->sbi, reader->home, off, to, len);
	reader->missing = off;
	reader->missing_len = len;
	return -EAGAIN;
}

static void report_map(struct erofs_od_sb_info *sbi, const struct od_inode *od, u64 pos,
		       const struct od_zextent *x, int err)
{
	const char *name = erofs_od_extent_blob_name(sbi, od, x->flags & OD_ZEXTENT_INLINE,
						     x->blob);

	if (err != -EUCLEAN && err != -EOPNOTSUPP)
		return;
	erofs_od_err_ratelimited(sbi, "inode %llu: map of byte %llu: %s: pcluster of %u bytes, blob %*pE, offset %llu: %d",
				 od->nid, pos, err == -EUCLEAN ? "corrupt" : "exceeds limits",
				 x->encoded_len, (int)strlen(name), name, x->off, err);
}

static int lookup(struct erofs_od_sb_info *sbi, struct map_reader *reader,
		  const struct od_inode *od, u64 pos, struct od_zextent *x)
{
	const struct od_zmap map = {
		.tab = &sbi->tab,
		.algorithms = sbi->algorithms,
		.lz4_unpadded = !(sbi->od.incompat & OD_FEATURE_INCOMPAT_LZ4_0PADDING),
		.packed_size = sbi->packed.size,
		.read = read_map,
		.known = erofs_od_zsums_known,
		.learn = erofs_od_zsums_learn,
		.data = reader,
	};

	reader->sbi = sbi;
	reader->home = erofs_od_home(sbi, od->nid);
	return od_zmap(&map, od, &od->z, pos, x);
}

/* The blob that holds the pcluster of an extent; NULL for a hole. */
static struct erofs_od_blob *blob_of(const struct erofs_od_sb_info *sbi, const struct od_inode *od,
				     const struct od_zextent *x)
{
	if (x->flags & OD_ZEXTENT_HOLE)
		return NULL;
	return x->flags & OD_ZEXTENT_INLINE ? erofs_od_home(sbi, od->nid) : sbi->blobs[x->blob];
}

static int zmap_od(struct erofs_od_sb_info *sbi, const struct od_inode *od, u64 pos,
		   bool may_wait, struct od_zextent *x)
{
	struct map_reader reader = { .may_wait = may_wait };
	int err = lookup(sbi, &reader, od, pos, x);

	if (err)
		report_map(sbi, od, pos, x, err);
	return err;
}

/* A run of a packed inode that is not compressed is treated as a plain pcluster. */
static int zmap_packed_plain(struct erofs_od_sb_info *sbi, u64 pos, bool may_wait,
			     struct erofs_od_zplace *zplace)
{
	struct erofs_od_extent extent = { };
	int err = erofs_od_map_od(sbi, &sbi->packed, pos, may_wait, &extent);

	if (err)
		return err;
	extent.len = min(extent.len, sbi->packed.size - pos);
	extent.len = min_t(u64, extent.len, OD_ZENCODED_MAX);
	zplace->blob = extent.blob;
	zplace->x = (struct od_zextent) {
		.start = pos,
		.len = extent.len,
		.flags = OD_ZEXTENT_PLAIN |
			 (extent.flags & OD_EXTENT_INLINE ? OD_ZEXTENT_INLINE : 0),
		.off = extent.off,
		.encoded_len = (u32)extent.len,
	};
	return 0;
}

static int zmap_fragment(struct erofs_od_sb_info *sbi, u64 pos, bool may_wait,
			 struct erofs_od_zplace *zplace)
{
	u64 at = zplace->x.off + (pos - zplace->x.start);
	struct od_zextent *x = &zplace->x;
	int err;

	if (!od_inode_is_compressed(&sbi->packed)) {
		err = zmap_packed_plain(sbi, at, may_wait, zplace);
	} else {
		err = zmap_od(sbi, &sbi->packed, at, may_wait, x);
		zplace->blob = blob_of(sbi, &sbi->packed, x);
	}
	if (err)
		return err;
	zplace->start = (s64)(x->start - at + pos);
	zplace->to = min(zplace->to, x->start + x->len - at + pos);
	return 0;
}

/**
 * erofs_od_zmap - map a byte of a compressed inode
 * @sbi: mount
 * @od: inode
 * @pos: the byte, below the inode's size
 * @may_wait: wait for metadata
 * @zplace: its extent and pcluster
 *
 * Context: sleeps, killably if @may_wait.
 * Return: 0; -EAGAIN if it would have to wait; -EUCLEAN and -EOPNOTSUPP with a log line;
 * -EINTR; or the errno of the failed read of metadata.
 */
int erofs_od_zmap(struct erofs_od_sb_info *sbi, const struct od_inode *od, u64 pos,
		  bool may_wait, struct erofs_od_zplace *zplace)
{
	struct od_zextent *x = &zplace->x;
	int err = zmap_od(sbi, od, pos, may_wait, x);

	if (err)
		return err;
	zplace->start = (s64)x->start;
	zplace->to = x->start + x->len;
	if (x->flags & OD_ZEXTENT_FRAGMENT)
		return zmap_fragment(sbi, pos, may_wait, zplace);
	zplace->blob = blob_of(sbi, od, x);
	return 0;
}

/**
 * erofs_od_zmap_extent - map a byte of a compressed file, for lseek(2) and FIEMAP
 * @inode: inode
 * @pos: the byte, below the inode's size
 * @extent: the rest of its extent, with the pcluster's offset
 *
 * Context: sleeps, killably.
 * Return: as erofs_od_zmap().
 */
int erofs_od_zmap_extent(struct inode *inode, u64 pos, struct erofs_od_extent *extent)
{
	struct erofs_od_zplace zplace;
	int err = erofs_od_zmap(EROFS_OD_SB(inode->i_sb), &EROFS_OD_I(inode)->od, pos, true,
				&zplace);

	if (err)
		return err;
	*extent = (struct erofs_od_extent) {
		.blob = zplace.blob,
		.flags = OD_EXTENT_ENCODED |
			 (zplace.x.flags & OD_ZEXTENT_INLINE ? OD_EXTENT_INLINE : 0),
		.off = zplace.x.off,
		.encoded_len = zplace.x.encoded_len,
		.len = zplace.to - pos,
	};
	return 0;
}

/* How many bytes can be mapped by entries in memory; starts to read missing entries. */
static u64 entries_ready(struct erofs_od_sb_info *sbi, const struct od_inode *od, u64 pos, u64 len)
{
	struct erofs_od_blob *home = erofs_od_home(sbi, od->nid);
	const u64 entry = sizeof(struct od_disk_zindex);
	u64 off, wanted = od_zmap_entries(od, &od->z, pos, len, &off), ready, end;

	if (!wanted)
		return len;
	/* The last entries locate the fragment. */
	if ((od->z.advise & OD_ZADVISE_FRAGMENT) &&
	    erofs_od_meta_start(home, od->z.end - entry, entry) != entry)
		return 0;
	ready = erofs_od_meta_start(home, off, wanted);
	if (ready == wanted) {
		/* Sequential readers need the next ones. */
		wanted = min(wanted, od->z.end - off - wanted);
		if (wanted)
			erofs_od_meta_start(home, off + ready, wanted);
		return len;
	}
	/* An entry covers at most this many bytes; the last one only ends an extent. */
	end = (pos >> od->z.lclusterbits) + ready / entry;
	end = (end - !!end) << od->z.lclusterbits;
	return end > pos ? min(end - pos, len) : 0;
}

/* Like entries_ready(), but which records a lookup needs is known only from the lookup itself. */
static u64 records_ready(struct erofs_od_sb_info *sbi, const struct od_inode *od, u64 pos, u64 len)
{
	struct map_reader reader = { };
	u64 at = pos;

	while (at < od->size && at - pos < len) {
		struct od_zextent x;
		int err = lookup(sbi, &reader, od, at, &x);

		if (err == -EAGAIN) {
			erofs_od_meta_start(reader.home, reader.missing, reader.missing_len);
			return at - pos;
		}
		/* The read itself reports any other error. */
		if (err)
			return len;
		at = x.start + x.len;
	}
	return len;
}

static u64 map_ready(struct erofs_od_sb_info *sbi, const struct od_inode *od, u64 pos, u64 len)
{
	return od->z.record_size ? records_ready(sbi, od, pos, len)
				 : entries_ready(sbi, od, pos, len);
}

/**
 * erofs_od_zmap_ready - how many bytes can be mapped without waiting
 * @inode: compressed inode
 * @pos: first byte
 * @len: bytes to check
 *
 * Starts to read missing metadata, and some more.
 *
 * Return: bytes from @pos on.
 */
u64 erofs_od_zmap_ready(struct inode *inode, u64 pos, u64 len)
{
	struct erofs_od_sb_info *sbi = EROFS_OD_SB(inode->i_sb);
	const struct od_inode *od = &EROFS_OD_I(inode)->od;
	u64 size = i_size_read(inode), bytes, at;

	if (pos >= size)
		return len;
	if (!od->z.whole)
		return map_ready(sbi, od, pos, len);
	bytes = min(len, size - pos);
	at = pos + od->z.fragment;
	/* The read itself reports an invalid offset. */
	if (!od_inode_is_compressed(&sbi->packed) || at >= sbi->packed.size)
		return len;
	return map_ready(sbi, &sbi->packed, at, bytes) == bytes ? len : 0;
}
