/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The presence map on disk: which bytes of a cache file were written and had
 * reached the device when the map was committed.
 *
 * A map file has two header slots and, after them, areas of runs. A commit writes the runs
 * where the newest valid version has none, then a header with the next sequence number to the
 * other slot. A torn commit leaves a bad checksum, and the previous version intact.
 */
#ifndef OD_CORE_MAPFILE_H
#define OD_CORE_MAPFILE_H

#include "od/types.h"
#include "extents.h"

/** OD_MAPFILE_SLOT - bytes of a header slot; the first two of a map file are slots */
#define OD_MAPFILE_SLOT		4096U
/** OD_MAPFILE_RUN - bytes of a run on disk */
#define OD_MAPFILE_RUN		((u32)sizeof(struct od_disk_run))
/** OD_MAPFILE_RUNS_AT - offset of the first byte that runs may occupy */
#define OD_MAPFILE_RUNS_AT	(2 * OD_MAPFILE_SLOT)
/** OD_MAPFILE_RUNS_MAX - most runs in a map: 64 MiB of them */
#define OD_MAPFILE_RUNS_MAX	(4U << 20)
/** OD_MAPFILE_STRING_MAX - longest name or validator, without a NUL */
#define OD_MAPFILE_STRING_MAX	255U

/**
 * struct od_disk_map - a header slot; the rest of it is 0
 * @magic: "ODPRESMP"
 * @version: 1
 * @crc: crc32c of the slot, with this field as 0
 * @seq: and what follows, see struct od_mapfile; strings are padded with NULs
 */
struct od_disk_map {
	u8 magic[8];
	__le32 version;
	__le32 crc;
	__le64 seq;
	__le64 size;
	__le64 ino;
	__le32 generation;
	__le32 flags;
	__le64 mtime_sec;
	__le32 mtime_nsec;
	__le32 nr_runs;
	__le64 runs_off;
	__le32 runs_crc;
	u8 reserved[4];
	u8 volume[OD_MAPFILE_STRING_MAX + 1];
	u8 name[OD_MAPFILE_STRING_MAX + 1];
	u8 validator[OD_MAPFILE_STRING_MAX + 1];
	__le64 used;
} __packed;

static_assert(sizeof(struct od_disk_map) == 856);
static_assert(sizeof(struct od_disk_map) <= OD_MAPFILE_SLOT);
static_assert(offsetof(struct od_disk_map, crc) == 12);
static_assert(offsetof(struct od_disk_map, generation) == 40);
static_assert(offsetof(struct od_disk_map, nr_runs) == 60);
static_assert(offsetof(struct od_disk_map, volume) == 80);
static_assert(offsetof(struct od_disk_map, used) == 848);

/**
 * struct od_disk_run - a run of present bytes on disk
 * @start: first byte
 * @end: first byte past the last
 */
struct od_disk_run {
	__le64 start;
	__le64 end;
} __packed;

static_assert(sizeof(struct od_disk_run) == 16);

/** OD_MAPFILE_CLOSED - flag: the object was closed; the cache file had @mtime then */
#define OD_MAPFILE_CLOSED	1U

/**
 * struct od_mapfile - one version of a map, without its runs
 * @seq: number of the commit; the highest valid one applies
 * @size: bytes of the blob
 * @ino: inode number of the cache file
 * @generation: its inode generation
 * @flags: %OD_MAPFILE_CLOSED
 * @mtime_sec: modification time of the cache file, seconds; with the flag only
 * @mtime_nsec: and nanoseconds
 * @nr_runs: runs in the map, up to %OD_MAPFILE_RUNS_MAX
 * @runs_off: their offset in the map file, a multiple of %OD_MAPFILE_SLOT
 * @runs_crc: crc32c of their bytes
 * @volume: NUL-terminated name of the volume's directory
 * @name: NUL-terminated name of the cache file
 * @validator: NUL-terminated version of the blob, from the daemon, or ""
 * @used: when the blob was last opened or read, in seconds since 1970; 0 in maps of
 *	older versions
 */
struct od_mapfile {
	u64 seq;
	u64 size;
	u64 ino;
	u32 generation;
	u32 flags;
	s64 mtime_sec;
	u32 mtime_nsec;
	u32 nr_runs;
	u64 runs_off;
	u32 runs_crc;
	char volume[OD_MAPFILE_STRING_MAX + 1];
	char name[OD_MAPFILE_STRING_MAX + 1];
	char validator[OD_MAPFILE_STRING_MAX + 1];
	u64 used;
};

/**
 * od_crc32c - CRC-32C (Castagnoli)
 * @crc: ~0, or the previous result to continue
 * @p: bytes
 * @len: length of @p
 *
 * Return: the remainder, not inverted.
 */
u32 od_crc32c(u32 crc, const u8 *p, size_t len);

/**
 * od_mapfile_encode - encode a header
 * @m: its contents
 * @slot: space for %OD_MAPFILE_SLOT bytes, all of which are set
 */
void od_mapfile_encode(const struct od_mapfile *m, u8 *slot);

/**
 * od_mapfile_decode - decode a header
 * @slot: %OD_MAPFILE_SLOT bytes
 * @m: the result; indeterminate on failure
 *
 * Return: 0, or -EUCLEAN unless magic, version, checksum and every field are valid: names
 * terminated, not empty, without '/' and not beginning with '.'; the validator terminated and a
 * single line; @size one that a copen may have;
 * @runs_off aligned, at or above %OD_MAPFILE_RUNS_AT, and the runs below the
 * largest file offset; @nr_runs in range; @mtime_nsec below 10^9; no unknown
 * flag. Bytes past the fields are covered by the checksum and ignored.
 */
int od_mapfile_decode(const u8 *slot, struct od_mapfile *m);

/**
 * od_mapfile_encode_runs - encode runs
 * @runs: runs of a presence map
 * @nr: number of runs
 * @buf: space for @nr * %OD_MAPFILE_RUN bytes
 */
void od_mapfile_encode_runs(const struct od_range *runs, size_t nr, u8 *buf);

/**
 * od_mapfile_decode_runs - decode runs
 * @buf: @nr * %OD_MAPFILE_RUN bytes
 * @nr: number of runs
 * @limit: no run may end after this byte
 * @prev_end: end of the run before these, 0 for the first ones
 * @runs: space for @nr runs
 *
 * Return: 0, or -EUCLEAN unless all of them are sorted, apart from each other and from
 * @prev_end (any start is valid if that is 0), not empty, and end by
 * @limit.
 */
int od_mapfile_decode_runs(const u8 *buf, size_t nr, u64 limit, u64 prev_end,
			   struct od_range *runs);

/**
 * od_mapfile_next_off - offset for the runs of the next version
 * @cur: the newest valid version, or NULL for none
 * @nr_runs: runs of the next version
 *
 * Return: an offset that is a multiple of %OD_MAPFILE_SLOT and whose @nr_runs
 * runs overlap neither the slots nor the runs of @cur.
 */
u64 od_mapfile_next_off(const struct od_mapfile *cur, u32 nr_runs);

#endif /* OD_CORE_MAPFILE_H */
