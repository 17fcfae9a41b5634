// SPDX-License-Identifier: GPL-2.0-only
#include "mapfile.h"

#define OD_MAPFILE_VERSION	1U
/* As a copen: room to round up to the grain without a wrap. */
#define OD_MAPFILE_SIZE_MAX	((u64)S64_MAX - 0xffff)

static const u8 od_mapfile_magic[8] = { 'O', 'D', 'P', 'R', 'E', 'S', 'M', 'P' };

/* Offsets in a slot; everything is little-endian. */
enum {
	OD_AT_MAGIC	= 0,
	OD_AT_VERSION	= 8,
	OD_AT_CRC	= 12,	/* of the slot, with this field as 0 */
	OD_AT_SEQ	= 16,
	OD_AT_SIZE	= 24,
	OD_AT_INO	= 32,
	OD_AT_GENERATION = 40,
	OD_AT_FLAGS	= 44,
	OD_AT_MTIME_SEC	= 48,
	OD_AT_MTIME_NSEC = 56,
	OD_AT_NR_RUNS	= 60,
	OD_AT_RUNS_OFF	= 64,
	OD_AT_RUNS_CRC	= 72,
	OD_AT_VOLUME	= 80,
	OD_AT_NAME	= OD_AT_VOLUME + OD_MAPFILE_STRING_MAX + 1,
	OD_AT_VALIDATOR	= OD_AT_NAME + OD_MAPFILE_STRING_MAX + 1,
	OD_AT_USED	= OD_AT_VALIDATOR + OD_MAPFILE_STRING_MAX + 1,
	OD_AT_END	= OD_AT_USED + 8,
};

u32 od_crc32c(u32 crc, const u8 *p, size_t len)
{
	/* The remainder of each nibble, for the reflected polynomial 0x82f63b78. */
	static const u32 nibbles[16] = {
		0x00000000, 0x105ec76f, 0x20bd8ede, 0x30e349b1,
		0x417b1dbc, 0x5125dad3, 0x61c69362, 0x7198540d,
		0x82f63b78, 0x92a8fc17, 0xa24bb5a6, 0xb21572c9,
		0xc38d26c4, 0xd3d3e1ab, 0xe330a81a, 0xf36e6f75,
	};

	for (; len; len--, p++) {
		crc = crc >> 4 ^ nibbles[(crc ^ *p) & 15];
		crc = crc >> 4 ^ nibbles[(crc ^ *p >> 4) & 15];
	}
	return crc;
}

static u32 od_mapfile_slot_crc(const u8 *slot)
{
	static const u8 zero[4];
	u32 crc = od_crc32c(~0U, slot, OD_AT_CRC);

	crc = od_crc32c(crc, zero, sizeof(zero));
	return od_crc32c(crc, slot + OD_AT_SEQ, OD_MAPFILE_SLOT - OD_AT_SEQ);
}

static void od_put_string(u8 *at, const char *s)
{
	memcpy(at, s, strlen(s));
}

void od_mapfile_encode(const struct od_mapfile *m, u8 *slot)
{
	memset(slot, 0, OD_MAPFILE_SLOT);
	memcpy(slot + OD_AT_MAGIC, od_mapfile_magic, sizeof(od_mapfile_magic));
	od_put_le32(slot + OD_AT_VERSION, OD_MAPFILE_VERSION);
	od_put_le64(slot + OD_AT_SEQ, m->seq);
	od_put_le64(slot + OD_AT_SIZE, m->size);
	od_put_le64(slot + OD_AT_INO, m->ino);
	od_put_le32(slot + OD_AT_GENERATION, m->generation);
	od_put_le32(slot + OD_AT_FLAGS, m->flags);
	od_put_le64(slot + OD_AT_MTIME_SEC, (u64)m->mtime_sec);
	od_put_le32(slot + OD_AT_MTIME_NSEC, m->mtime_nsec);
	od_put_le32(slot + OD_AT_NR_RUNS, m->nr_runs);
	od_put_le64(slot + OD_AT_RUNS_OFF, m->runs_off);
	od_put_le32(slot + OD_AT_RUNS_CRC, m->runs_crc);
	od_put_string(slot + OD_AT_VOLUME, m->volume);
	od_put_string(slot + OD_AT_NAME, m->name);
	od_put_string(slot + OD_AT_VALIDATOR, m->validator);
	od_put_le64(slot + OD_AT_USED, m->used);
	od_put_le32(slot + OD_AT_CRC, od_mapfile_slot_crc(slot));
}

/* Terminated within its field? */
static bool od_get_string(char *s, const u8 *at)
{
	memcpy(s, at, OD_MAPFILE_STRING_MAX + 1);
	return memchr(s, '\0', OD_MAPFILE_STRING_MAX + 1);
}

/* A tool joins it to a path. */
static bool od_is_file_name(const char *name)
{
	return name[0] != '\0' && name[0] != '.' && !strchr(name, '/');
}

static bool od_mapfile_runs_fit(const struct od_mapfile *m)
{
	return m->nr_runs <= OD_MAPFILE_RUNS_MAX && m->runs_off >= OD_MAPFILE_RUNS_AT &&
	       m->runs_off % OD_MAPFILE_SLOT == 0 &&
	       m->runs_off <= (u64)S64_MAX - (u64)OD_MAPFILE_RUNS_MAX * OD_MAPFILE_RUN;
}

int od_mapfile_decode(const u8 *slot, struct od_mapfile *m)
{
	if (memcmp(slot + OD_AT_MAGIC, od_mapfile_magic, sizeof(od_mapfile_magic)) ||
	    od_le32(slot + OD_AT_VERSION) != OD_MAPFILE_VERSION)
		return -EUCLEAN;
	if (od_le32(slot + OD_AT_CRC) != od_mapfile_slot_crc(slot))
		return -EUCLEAN;
	m->seq = od_le64(slot + OD_AT_SEQ);
	m->size = od_le64(slot + OD_AT_SIZE);
	m->ino = od_le64(slot + OD_AT_INO);
	m->generation = od_le32(slot + OD_AT_GENERATION);
	m->flags = od_le32(slot + OD_AT_FLAGS);
	m->mtime_sec = (s64)od_le64(slot + OD_AT_MTIME_SEC);
	m->mtime_nsec = od_le32(slot + OD_AT_MTIME_NSEC);
	m->nr_runs = od_le32(slot + OD_AT_NR_RUNS);
	m->runs_off = od_le64(slot + OD_AT_RUNS_OFF);
	m->runs_crc = od_le32(slot + OD_AT_RUNS_CRC);
	m->used = od_le64(slot + OD_AT_USED);

	if (!od_get_string(m->volume, slot + OD_AT_VOLUME) || !od_is_file_name(m->volume) ||
	    !od_get_string(m->name, slot + OD_AT_NAME) || !od_is_file_name(m->name) ||
	    !od_get_string(m->validator, slot + OD_AT_VALIDATOR) || strchr(m->validator, '\n'))
		return -EUCLEAN;
	if (m->size > OD_MAPFILE_SIZE_MAX || m->mtime_nsec >= 1000000000 ||
	    (m->flags & ~OD_MAPFILE_CLOSED) || !od_mapfile_runs_fit(m))
		return -EUCLEAN;
	return 0;
}

void od_mapfile_encode_runs(const struct od_range *runs, size_t nr, u8 *buf)
{
	size_t i;

	for (i = 0; i < nr; i++, buf += OD_MAPFILE_RUN) {
		od_put_le64(buf, runs[i].start);
		od_put_le64(buf + 8, runs[i].end);
	}
}

int od_mapfile_decode_runs(const u8 *buf, size_t nr, u64 limit, u64 prev_end,
			   struct od_range *runs)
{
	size_t i;

	for (i = 0; i < nr; i++, buf += OD_MAPFILE_RUN) {
		u64 start = od_le64(buf), end = od_le64(buf + 8);

		if ((prev_end && start <= prev_end) || end <= start || end > limit)
			return -EUCLEAN;
		runs[i].start = start;
		runs[i].end = end;
		prev_end = end;
	}
	return 0;
}

static u64 od_mapfile_area(u32 nr_runs)
{
	u64 bytes = (u64)nr_runs * OD_MAPFILE_RUN + OD_MAPFILE_SLOT - 1;

	return bytes - bytes % OD_MAPFILE_SLOT;
}

u64 od_mapfile_next_off(const struct od_mapfile *cur, u32 nr_runs)
{
	if (!cur || cur->runs_off - OD_MAPFILE_RUNS_AT >= od_mapfile_area(nr_runs))
		return OD_MAPFILE_RUNS_AT;
	return cur->runs_off + od_mapfile_area(cur->nr_runs);
}
