// SPDX-License-Identifier: GPL-2.0-only
/*
 * Encoded extents: records of one of four sizes.
 *
 * Records of 16 and 32 bytes have their start in the file, and are sorted: a lookup is a binary
 * search. Records of 4 and 8 bytes cover one lcluster each.
 *
 * Records of 4 bytes do not have the address of their pcluster: each starts where the previous
 * one ends, so a lookup adds up the lengths of all records before. Two things bound this work:
 *
 * - A map with more than OD_ZRECORD_4_MAX of them is refused; with lclusters of 4 KiB that is a
 *   file of 64 GiB.
 * - On its way a lookup offers the caller a sum every OD_ZSUM_STEP records, and it starts from
 *   the last one that the caller kept. The caller keeps up to 512 of them, evenly spaced: a
 *   lookup where another has been before adds up 32768 lengths at most (128 KiB of the map),
 *   and 64 if the file has 128 MiB in lclusters of 4 KiB.
 */
#include "zrecords.h"
#include "zplace.h"

#define OD_NO_RECORD	(~0ULL)

/**
 * struct od_zrecord - a record and its extent
 * @nr: its number; %OD_NO_RECORD if the extent is before the first record
 * @plen: its first field
 * @at: the next two fields, or as many of them as it has
 * @start: first byte of the extent
 * @end: first byte past the extent
 */
struct od_zrecord {
	u64 nr;
	u32 plen;
	u64 at;
	u64 start;
	u64 end;
};

static int od_read_record(const struct od_zmap *map, const struct od_zinode *z, u64 nr,
			  struct od_disk_zrecord *disk)
{
	memset(disk, 0, sizeof(*disk));
	return map->read(map->data, z->array + nr * z->record_size, disk, z->record_size);
}

static void od_set_record(const struct od_disk_zrecord *disk, struct od_zrecord *r)
{
	r->plen = le32_to_cpu(disk->plen);
	r->at = le32_to_cpu(disk->pstart_lo) | (u64)le32_to_cpu(disk->pstart_hi) << 32;
}

/*
 * Finds the last record that starts at @pos or before. Unordered records cannot make the search
 * endless, but they contradict each other: those it visits are checked.
 */
static int od_search_record(const struct od_zmap *map, const struct od_inode *inode,
			    const struct od_zinode *z, u64 pos, struct od_zrecord *r)
{
	u64 low = 0, high = z->entries;

	*r = (struct od_zrecord) { .nr = OD_NO_RECORD, .end = U64_MAX };
	while (low < high) {
		u64 mid = low + (high - low) / 2, start;
		struct od_disk_zrecord disk;
		int err = od_read_record(map, z, mid, &disk);

		if (err)
			return err;
		start = le32_to_cpu(disk.lstart_lo) | (u64)le32_to_cpu(disk.lstart_hi) << 32;
		if (start < r->start || start > r->end)
			return -EUCLEAN;
		if (start > pos) {
			high = mid;
			r->end = start;
			continue;
		}
		low = mid + 1;
		r->nr = mid;
		r->start = start;
		od_set_record(&disk, r);
	}
	r->end = min(r->end, inode->size);
	return 0;
}

/* Computes the start of a 4-byte record's pcluster, from that of the first, stored before all. */
static int od_sum_lengths(const struct od_zmap *map, const struct od_zinode *z, u64 nr, u64 *start)
{
	__le32 plen[OD_ZSUM_STEP];
	u64 at = nr, sum;
	u32 i, n;
	int err;

	if (!map->known || !z->sums || !map->known(z->sums, &at, &sum)) {
		__le64 first;

		at = 0;
		err = map->read(map->data, z->array - sizeof(first), &first, sizeof(first));
		if (err)
			return err;
		sum = le64_to_cpu(first);
	}
	while (at < nr) {
		n = (u32)min_t(u64, nr - at, OD_ZSUM_STEP - at % OD_ZSUM_STEP);
		err = map->read(map->data, z->array + at * sizeof(*plen), plen,
				n * (u32)sizeof(*plen));
		if (err)
			return err;
		for (i = 0; i < n; i++)
			if (check_add_overflow(sum, (u64)(le32_to_cpu(plen[i]) & OD_ZRECORD_LENGTH),
					       &sum))
				return -EUCLEAN;
		at += n;
		if (map->learn && z->sums && !(at % OD_ZSUM_STEP))
			map->learn(z->sums, at, sum);
	}
	*start = sum;
	return 0;
}

static bool od_is_fragment(const struct od_zinode *z, const struct od_zrecord *r)
{
	return (z->advise & OD_ZADVISE_FRAGMENT) && r->nr == z->entries - 1;
}

static int od_find_record(const struct od_zmap *map, const struct od_inode *inode,
			  const struct od_zinode *z, u64 pos, struct od_zrecord *r)
{
	struct od_disk_zrecord disk;
	int err;

	if (z->record_size >= OD_ZRECORD_16)
		return od_search_record(map, inode, z, pos, r);
	r->nr = pos >> z->lclusterbits;
	r->start = r->nr << z->lclusterbits;
	r->end = min(r->start + (1ULL << z->lclusterbits), inode->size);
	err = od_read_record(map, z, r->nr, &disk);
	if (err)
		return err;
	od_set_record(&disk, r);
	if (z->record_size == OD_ZRECORD_8 || !(r->plen & OD_ZRECORD_LENGTH) ||
	    od_is_fragment(z, r))
		return 0;
	return od_sum_lengths(map, z, r->nr, &r->at);
}

/* Block numbers have 48 bits, even if a record has space for more. */
static bool od_is_beyond(const struct od_zmap *map, u64 start, u32 len)
{
	u64 end;

	return check_add_overflow(start, (u64)len, &end) ||
	       (end - 1) >> map->tab->blkbits >> OD_BLOCK_BITS;
}

static int od_zrecord_extent(const struct od_zmap *map, const struct od_inode *inode,
			     const struct od_zinode *z, const struct od_zrecord *r,
			     struct od_zextent *x)
{
	u32 len = r->plen & OD_ZRECORD_LENGTH, format = r->plen >> OD_ZRECORD_FORMAT_SHIFT;
	int err;

	if (r->plen & OD_ZRECORD_PARTIAL)
		x->flags |= OD_ZEXTENT_PARTIAL;
	if (!format)
		x->flags |= OD_ZEXTENT_PLAIN;
	else
		x->algorithm = (u8)(format - 1);
	if (format && x->algorithm == OD_ALGORITHM_LZ4 && map->lz4_unpadded)
		x->flags |= OD_ZEXTENT_PARTIAL | OD_ZEXTENT_UNPADDED;
	if (od_is_beyond(map, r->at, len)) {
		x->off = r->at;
		return -EUCLEAN;
	}
	err = od_zmap_place(map, z, r->at, len, x);
	return err ?: od_zmap_check(map, inode, x);
}

int od_zmap_records(const struct od_zmap *map, const struct od_inode *inode,
		    const struct od_zinode *z, u64 pos, struct od_zextent *x)
{
	struct od_zrecord r;
	int err = od_find_record(map, inode, z, pos, &r);

	if (err)
		return err;
	if (od_is_fragment(z, &r))
		return od_zmap_fragment(map, inode->size, r.start, r.at << 32 | r.plen, x);
	x->start = r.start;
	x->len = r.end - r.start;
	if (r.nr == OD_NO_RECORD || !(r.plen & OD_ZRECORD_LENGTH)) {
		x->flags = OD_ZEXTENT_HOLE;
		return 0;
	}
	/* Their meaning may include longer pclusters. */
	if (r.plen & OD_ZRECORD_RESERVED)
		return -EOPNOTSUPP;
	return od_zrecord_extent(map, inode, z, &r, x);
}
