// SPDX-License-Identifier: GPL-2.0-only
#include "mapfile.h"

#define OD_MAPFILE_VERSION	1U
/* As in a copen: leaves space to round up to the grain without wrapping. */
#define OD_MAPFILE_SIZE_MAX	((u64)S64_MAX - 0xffff)

static const u8 od_mapfile_magic[8] = { 'O', 'D', 'P', 'R', 'E', 'S', 'M', 'P' };

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

/* Of the slot, with the checksum field itself as 0. */
static u32 od_mapfile_slot_crc(const u8 *slot)
{
	static const u8 zero[sizeof_field(struct od_disk_map, crc)];
	const size_t at = offsetof(struct od_disk_map, crc), next = at + sizeof(zero);
	u32 crc = od_crc32c(~0U, slot, at);

	crc = od_crc32c(crc, zero, sizeof(zero));
	return od_crc32c(crc, slot + next, OD_MAPFILE_SLOT - next);
}

static void od_put_string(u8 *at, const char *s)
{
	memcpy(at, s, strlen(s));
}

void od_mapfile_encode(const struct od_mapfile *m, u8 *slot)
{
	struct od_disk_map *disk = (void *)slot;

	memset(slot, 0, OD_MAPFILE_SLOT);
	memcpy(disk->magic, od_mapfile_magic, sizeof(od_mapfile_magic));
	disk->version = cpu_to_le32(OD_MAPFILE_VERSION);
	disk->seq = cpu_to_le64(m->seq);
	disk->size = cpu_to_le64(m->size);
	disk->ino = cpu_to_le64(m->ino);
	disk->generation = cpu_to_le32(m->generation);
	disk->flags = cpu_to_le32(m->flags);
	disk->mtime_sec = cpu_to_le64((u64)m->mtime_sec);
	disk->mtime_nsec = cpu_to_le32(m->mtime_nsec);
	disk->nr_runs = cpu_to_le32(m->nr_runs);
	disk->runs_off = cpu_to_le64(m->runs_off);
	disk->runs_crc = cpu_to_le32(m->runs_crc);
	od_put_string(disk->volume, m->volume);
	od_put_string(disk->name, m->name);
	od_put_string(disk->validator, m->validator);
	disk->used = cpu_to_le64(m->used);
	disk->crc = cpu_to_le32(od_mapfile_slot_crc(slot));
}

/* Whether the string is terminated within its field. */
static bool od_get_string(char *s, const u8 *at)
{
	memcpy(s, at, OD_MAPFILE_STRING_MAX + 1);
	return memchr(s, '\0', OD_MAPFILE_STRING_MAX + 1);
}

/* A tool appends it to a path. */
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
	const struct od_disk_map *disk = (const void *)slot;

	if (memcmp(disk->magic, od_mapfile_magic, sizeof(od_mapfile_magic)) ||
	    le32_to_cpu(disk->version) != OD_MAPFILE_VERSION)
		return -EUCLEAN;
	if (le32_to_cpu(disk->crc) != od_mapfile_slot_crc(slot))
		return -EUCLEAN;
	m->seq = le64_to_cpu(disk->seq);
	m->size = le64_to_cpu(disk->size);
	m->ino = le64_to_cpu(disk->ino);
	m->generation = le32_to_cpu(disk->generation);
	m->flags = le32_to_cpu(disk->flags);
	m->mtime_sec = (s64)le64_to_cpu(disk->mtime_sec);
	m->mtime_nsec = le32_to_cpu(disk->mtime_nsec);
	m->nr_runs = le32_to_cpu(disk->nr_runs);
	m->runs_off = le64_to_cpu(disk->runs_off);
	m->runs_crc = le32_to_cpu(disk->runs_crc);
	m->used = le64_to_cpu(disk->used);

	if (!od_get_string(m->volume, disk->volume) || !od_is_file_name(m->volume) ||
	    !od_get_string(m->name, disk->name) || !od_is_file_name(m->name) ||
	    !od_get_string(m->validator, disk->validator) || strchr(m->validator, '\n'))
		return -EUCLEAN;
	if (m->size > OD_MAPFILE_SIZE_MAX || m->mtime_nsec >= 1000000000 ||
	    (m->flags & ~OD_MAPFILE_CLOSED) || !od_mapfile_runs_fit(m))
		return -EUCLEAN;
	return 0;
}

void od_mapfile_encode_runs(const struct od_range *runs, size_t nr, u8 *buf)
{
	struct od_disk_run *disk = (void *)buf;
	size_t i;

	for (i = 0; i < nr; i++) {
		disk[i].start = cpu_to_le64(runs[i].start);
		disk[i].end = cpu_to_le64(runs[i].end);
	}
}

int od_mapfile_decode_runs(const u8 *buf, size_t nr, u64 limit, u64 prev_end,
			   struct od_range *runs)
{
	const struct od_disk_run *disk = (const void *)buf;
	size_t i;

	for (i = 0; i < nr; i++) {
		u64 start = le64_to_cpu(disk[i].start), end = le64_to_cpu(disk[i].end);

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
	return round_up((u64)nr_runs * OD_MAPFILE_RUN, (u64)OD_MAPFILE_SLOT);
}

u64 od_mapfile_next_off(const struct od_mapfile *cur, u32 nr_runs)
{
	if (!cur || cur->runs_off - OD_MAPFILE_RUNS_AT >= od_mapfile_area(nr_runs))
		return OD_MAPFILE_RUNS_AT;
	return cur->runs_off + od_mapfile_area(cur->nr_runs);
}
