// SPDX-License-Identifier: GPL-2.0-only
/*
 * The map of a compressed file. The input: fields of the superblock (image.h), its
 * features, algorithms, its packed inode and the size of that, the number of the inode, the
 * inode, the size of the primary blob, the map header, a position, the configuration of an
 * algorithm, then the map from its first entry on, or from the address before its first record;
 * zeroes follow it.
 */
#include "image.h"
#include "erofs_od/core/zmap.h"

#define STEPS		32
#define READS_MAX	100000

/* Sums of lengths, as a mount keeps them: one for each of the first steps. */
#define SUMS_MAX	64

struct image {
	const struct od_zinode *z;
	const u8 *p;
	size_t len;
	u64 reads;
	u64 sum[SUMS_MAX];
	u64 sums;
};

static u64 map_start(const struct od_zinode *z)
{
	return z->array - (z->record_size == OD_ZRECORD_4 ? sizeof(__le64) : 0);
}

static bool known(struct od_zsums *sums, u64 *nr, u64 *start)
{
	const struct image *image = (const void *)sums;
	u64 i = *nr / OD_ZSUM_STEP < image->sums ? *nr / OD_ZSUM_STEP : image->sums;

	must(*nr < image->z->entries);
	if (!i)
		return false;
	*nr = i * OD_ZSUM_STEP;
	*start = image->sum[i - 1];
	return true;
}

static void learn(struct od_zsums *sums, u64 nr, u64 start)
{
	struct image *image = (void *)sums;
	u64 i = nr / OD_ZSUM_STEP;

	must(nr && nr % OD_ZSUM_STEP == 0 && nr < image->z->entries);
	if (i <= image->sums)
		must(image->sum[i - 1] == start);
	else if (i == image->sums + 1 && i <= SUMS_MAX)
		image->sum[image->sums++] = start;
}

static int read_map(void *data, u64 off, void *to, u32 len)
{
	struct image *image = data;
	u64 start = map_start(image->z), at = off - start;
	size_t n = 0;

	must(off >= start && off <= image->z->end && len <= image->z->end - off);
	if (at < image->len)
		n = image->len - at < len ? image->len - at : len;
	memset(to, 0, len);
	if (n)
		memcpy(to, image->p + at, n);
	/* A hostile map may take long; the task can be killed. */
	return image->reads++ < READS_MAX ? 0 : -EINTR;
}

static void check_pcluster(const struct od_zmap *map, const struct od_inode *inode,
			   const struct od_zextent *x)
{
	u64 size;

	must(x->blob < map->tab->count);
	size = x->flags & OD_ZEXTENT_INLINE && inode->nid >> 63 ? map->tab->metabox_size
								 : map->tab->blob[x->blob].size;
	must(x->encoded_len && x->encoded_len <= OD_ZENCODED_MAX);
	must(x->off <= size && x->encoded_len <= size - x->off);
	must(x->rotated <= x->encoded_len);
	if (x->flags & OD_ZEXTENT_PLAIN)
		must(x->len <= x->encoded_len);
	else
		must(map->algorithms >> x->algorithm & 1 && x->len <= OD_ZDECODED_MAX);
	if (x->rotated)
		must(!((x->off | x->encoded_len) & ((1ULL << map->tab->blkbits) - 1)));
	if (x->flags & OD_ZEXTENT_INLINE)
		must(x->off >= od_inode_body_end(inode) && !x->blob && !x->rotated &&
		     !inode->z.record_size);
}

static void check_extent(const struct od_zmap *map, const struct od_inode *inode, u64 pos,
			 const struct od_zextent *x)
{
	must(x->len && x->start <= pos && pos - x->start < x->len);
	must(x->start + x->len <= inode->size);
	if (x->flags & OD_ZEXTENT_HOLE)
		must(x->flags == OD_ZEXTENT_HOLE);
	else if (x->flags & OD_ZEXTENT_FRAGMENT)
		must(x->off <= map->packed_size && x->len <= map->packed_size - x->off);
	else
		check_pcluster(map, inode, x);
}

/* The sums learnt on the way do not change the result. */
static void check_again(const struct od_zmap *map, const struct od_inode *inode, u64 pos,
			const struct od_zextent *x)
{
	struct od_zmap alone = *map;
	struct od_zextent y;

	alone.known = NULL;
	alone.learn = NULL;
	if (inode->z.record_size == OD_ZRECORD_4 && !od_zmap(&alone, inode, &inode->z, pos, &y))
		must(!memcmp(x, &y, sizeof(y)));
}

/* Returns the next position. */
static u64 step(const struct od_zmap *map, const struct od_inode *inode, u64 pos)
{
	struct od_zextent x;
	u64 off, len = od_zmap_entries(inode, &inode->z, pos, 4096, &off);
	int err = od_zmap(map, inode, &inode->z, pos, &x);

	if (len)
		must(off >= inode->z.array && off + len <= inode->z.end);
	must(!err || err == -EUCLEAN || err == -EOPNOTSUPP || err == -EINTR);
	if (err)
		return (pos | ((1U << map->tab->blkbits) - 1)) + 1;
	check_extent(map, inode, pos, &x);
	check_again(map, inode, pos, &x);
	return x.start + x.len;
}

static void feed_config(struct feed *feed, const struct od_sb *sb)
{
	unsigned int alg = feed8(feed), err;
	size_t len = feed8(feed);
	u8 *p = feed_bytes(feed, len);
	struct od_zconfig config = { 0 };
	const char *why = NULL;

	err = (unsigned int)od_zconfig_parse(alg, p, len, sb->blkbits, &config, &why);
	must(!err == !why);
	must(config.lzma_dict <= 8U << 20 && config.zstd_window <= 1U << 20);
	free(p);
}

int LLVMFuzzerTestOneInput(const u8 *data, size_t size)
{
	struct feed feed = { data, size };
	struct od_sb sb = feed_sb(&feed);
	struct od_blob blob = { 0 };
	struct od_blobtab tab = { .blkbits = sb.blkbits, .count = 1, .blob = &blob };
	struct od_zmap map = {
		.tab = &tab, .read = read_map, .known = known, .learn = learn,
	};
	struct image image = { 0 };
	struct od_inode inode;
	u64 nid, off = 0, pos, limit;
	const char *why;
	u8 *p, *header, *rest;
	int i;

	sb.incompat = feed32(&feed);
	sb.compr_algs = map.algorithms = feed8(&feed) & 15;
	sb.packed_nid = feed64(&feed);
	map.packed_size = feed64(&feed) & S64_MAX;
	map.lz4_unpadded = !(sb.incompat & 1);
	nid = feed64(&feed);
	p = feed_bytes(&feed, sizeof(struct od_disk_inode_extended));
	blob.size = feed64(&feed) % ((u64)S64_MAX - 0xffff);
	tab.metabox_size = blob.size / 2;
	sb.metabox_nid = sb.packed_nid + 1;
	header = feed_bytes(&feed, sizeof(struct od_disk_zheader));
	pos = feed64(&feed);
	feed_config(&feed, &sb);
	rest = feed_rest(&feed, 1 << 16, &image.len);
	limit = od_blobtab_meta_size(&tab, nid);
	if (!od_inode_offset(&sb, nid, limit, &off) &&
	    !od_inode_parse(&sb, nid, off, p, sizeof(struct od_disk_inode_extended), &inode,
			    &why) &&
	    has_data(&inode) && od_inode_is_compressed(&inode) && inode.size &&
	    !od_zinode_parse(&sb, &inode, (const void *)header, limit, &inode.z, &why)) {
		image.z = &inode.z;
		inode.z.sums = (void *)&image;
		image.p = rest;
		map.data = &image;
		pos %= inode.size;
		for (i = 0; i < STEPS && pos < inode.size; i++)
			pos = step(&map, &inode, pos);
		step(&map, &inode, inode.size - 1);
	}
	free(p);
	free(header);
	free(rest);
	return 0;
}
