// SPDX-License-Identifier: GPL-2.0-only
/*
 * Map files: their size, then decoding of a slot and some runs. The input:
 * flags in a byte, limit and end of the run before in eight bytes each, the number of runs
 * in one, of the next version in four, the runs, then the slot. Flag 1 seals the slot with
 * the right checksum, or hardly any would be decoded; flag 2 also sets its magic.
 */
#include "fuzz.h"
#include "cachefiles_od/core/mapfile.h"

#define CRC_AT	12

/* CRC-32C from its polynomial, bit by bit. */
static u32 crc32c(u32 crc, const u8 *p, size_t len)
{
	int bit;

	for (; len; len--, p++) {
		crc ^= *p;
		for (bit = 0; bit < 8; bit++)
			crc = crc >> 1 ^ (crc & 1 ? 0x82f63b78 : 0);
	}
	return crc;
}

static bool sealed(const u8 *slot)
{
	u8 copy[OD_MAPFILE_SLOT];

	memcpy(copy, slot, sizeof(copy));
	memset(copy + CRC_AT, 0, 4);
	return crc32c(~0U, copy, sizeof(copy)) == get_unaligned_le32(slot + CRC_AT);
}

static void seal(u8 *slot)
{
	put_unaligned_le32(0, slot + CRC_AT);
	put_unaligned_le32(crc32c(~0U, slot, OD_MAPFILE_SLOT), slot + CRC_AT);
}

static void check_string(const char *s, bool file_name)
{
	must(memchr(s, '\0', OD_MAPFILE_STRING_MAX + 1));
	if (file_name)
		must(*s && *s != '.' && !strchr(s, '/'));
	else
		must(!strchr(s, '\n'));
}

static void check_next(const struct od_mapfile *m, u32 nr_runs)
{
	u64 off = od_mapfile_next_off(m, nr_runs), end = off + (u64)nr_runs * OD_MAPFILE_RUN;
	u64 cur_end = m->runs_off + (u64)m->nr_runs * OD_MAPFILE_RUN;

	must(off % OD_MAPFILE_SLOT == 0 && off >= OD_MAPFILE_RUNS_AT);
	must(end <= m->runs_off || off >= cur_end);
}

static void check_decoded(const struct od_mapfile *m, const u8 *slot)
{
	struct od_mapfile again;
	u8 copy[OD_MAPFILE_SLOT];

	must(sealed(slot) && !memcmp(slot, "ODPRESMP", 8) && get_unaligned_le32(slot + 8) == 1);
	must(m->size <= S64_MAX - 0xffff && m->mtime_nsec < 1000000000);
	must(!(m->flags & ~OD_MAPFILE_CLOSED) && m->nr_runs <= OD_MAPFILE_RUNS_MAX);
	must(m->runs_off >= OD_MAPFILE_RUNS_AT && m->runs_off % OD_MAPFILE_SLOT == 0);
	must(m->runs_off + (u64)m->nr_runs * OD_MAPFILE_RUN <= (u64)S64_MAX);
	check_string(m->volume, true);
	check_string(m->name, true);
	check_string(m->validator, false);

	/* A decoded slot can be encoded, and decodes to the same. */
	od_mapfile_encode(m, copy);
	must(od_mapfile_decode(copy, &again) == 0);
	must(again.seq == m->seq && again.size == m->size && again.ino == m->ino);
	must(again.generation == m->generation && again.flags == m->flags);
	must(again.mtime_sec == m->mtime_sec && again.mtime_nsec == m->mtime_nsec);
	must(again.nr_runs == m->nr_runs && again.runs_off == m->runs_off);
	must(again.runs_crc == m->runs_crc && !strcmp(again.volume, m->volume));
	must(!strcmp(again.name, m->name) && !strcmp(again.validator, m->validator));
}

static void check_runs(const u8 *buf, size_t nr, u64 limit, u64 prev_end)
{
	struct od_range *runs = malloc(nr * sizeof(*runs));
	u8 *back = malloc(nr * OD_MAPFILE_RUN);
	bool good = true;
	u64 before = prev_end;
	size_t i;

	for (i = 0; i < nr; i++) {
		u64 start = get_unaligned_le64(buf + i * OD_MAPFILE_RUN);
		u64 end = get_unaligned_le64(buf + i * OD_MAPFILE_RUN + 8);

		good &= start < end && end <= limit && (!before || start > before);
		before = end;
	}
	must(od_mapfile_decode_runs(buf, nr, limit, prev_end, runs) == (good ? 0 : -EUCLEAN));
	if (good) {
		od_mapfile_encode_runs(runs, nr, back);
		must(!nr || !memcmp(back, buf, nr * OD_MAPFILE_RUN));
	}
	free(back);
	free(runs);
}

int LLVMFuzzerTestOneInput(const u8 *data, size_t size)
{
	struct feed feed = { data, size };
	u8 flags = feed8(&feed);
	u64 limit = feed64(&feed), prev_end = feed64(&feed);
	size_t nr = feed8(&feed) % 16;
	u32 next = feed32(&feed) % (OD_MAPFILE_RUNS_MAX + 1);
	u8 *runs = feed_bytes(&feed, nr * OD_MAPFILE_RUN);
	u8 *slot = feed_bytes(&feed, OD_MAPFILE_SLOT);
	struct od_mapfile m;
	int err;

	if (flags & 2)
		memcpy(slot, "ODPRESMP\1\0\0", 12);
	if (flags & 1)
		seal(slot);
	err = od_mapfile_decode(slot, &m);
	must(err == 0 || err == -EUCLEAN);
	if (!err) {
		check_decoded(&m, slot);
		check_next(&m, next);
	}
	must(od_crc32c(next, runs, nr * OD_MAPFILE_RUN) ==
	     crc32c(next, runs, nr * OD_MAPFILE_RUN));
	check_runs(runs, nr, limit, prev_end);
	free(slot);
	free(runs);
	return 0;
}
