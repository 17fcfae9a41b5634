// SPDX-License-Identifier: GPL-2.0-only
/* States of a disk at any point of a log of dm-log-writes, see replay.h. */
#include "replay.h"

#include <endian.h>
#include <err.h>
#include <fcntl.h>
#include <linux/falloc.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#define PAGE		4096
#define SECTOR		512
#define LOG_MAGIC	0x6a736677736872ULL

/* On disk, both at the start of a sector; the log has its own sector size. */
struct log_super {
	uint64_t magic, version, nr_entries;
	uint32_t sector_size;
};

struct log_entry {
	uint64_t sector, nr_sectors, flags, data_len;
};

uint64_t replay_random(uint64_t *seed, uint64_t below)
{
	uint64_t z = *seed += 0x9e3779b97f4a7c15ULL;

	z = (z ^ (z >> 30)) * 0xbf58476d1ce4e5b9ULL;
	z = (z ^ (z >> 27)) * 0x94d049bb133111ebULL;
	return (z ^ (z >> 31)) % below;
}

static unsigned char *map_file(const char *path, int prot, int flags, size_t *size, int *fdp)
{
	int fd = open(path, prot == PROT_READ || flags == MAP_PRIVATE ? O_RDONLY : O_RDWR);
	unsigned char *p;
	struct stat st;

	if (fd < 0 || fstat(fd, &st))
		err(REPLAY_FAILED, "%s", path);
	p = mmap(NULL, st.st_size, prot, flags, fd, 0);
	if (p == MAP_FAILED)
		err(REPLAY_FAILED, "%s: mmap", path);
	*size = st.st_size;
	*fdp = fd;
	return p;
}

static void add_entry(struct replay_log *log, const struct replay_entry *entry)
{
	if (log->nr == log->cap) {
		log->cap = log->cap ? 2 * log->cap : 1024;
		log->entries = realloc(log->entries, log->cap * sizeof(*log->entries));
		if (!log->entries)
			err(REPLAY_FAILED, "log");
	}
	log->entries[log->nr++] = *entry;
}

void replay_read_log(struct replay_log *log, const char *path)
{
	size_t size, sector, at, i;
	int fd;
	const unsigned char *map = map_file(path, PROT_READ, MAP_SHARED, &size, &fd);
	const struct log_super *super = (const void *)map;
	const struct log_entry *disk;
	struct replay_entry entry;

	if (le64toh(super->magic) != LOG_MAGIC)
		errx(REPLAY_FAILED, "%s: not a log of dm-log-writes", path);
	sector = le32toh(super->sector_size);
	at = sector;
	for (i = 0; i < le64toh(super->nr_entries); i++) {
		if (at + sector > size)
			errx(REPLAY_FAILED, "%s: entry %zu is past the end", path, i);
		disk = (const void *)(map + at);
		entry.flags = le64toh(disk->flags);
		entry.sector = le64toh(disk->sector) * (sector / SECTOR);
		entry.nr_sectors = le64toh(disk->nr_sectors) * (sector / SECTOR);
		entry.len = le64toh(disk->data_len);
		entry.data = NULL;
		at += sector;
		if (entry.flags & REPLAY_MARK) {
			entry.data = (const void *)(disk + 1);
			entry.nr_sectors = 0;
		} else if (!(entry.flags & REPLAY_DISCARD) && entry.nr_sectors) {
			entry.data = map + at;
			at += entry.nr_sectors * SECTOR;
			if (at > size)
				errx(REPLAY_FAILED, "%s: data of entry %zu is past the end", path, i);
		}
		add_entry(log, &entry);
	}
	close(fd);
}

static bool is_zero(const unsigned char *page)
{
	return page[0] == 0 && memcmp(page, page + 1, PAGE - 1) == 0;
}

/* Only data is scanned: unused pages are holes of the file, or zeroes. */
static void find_used(struct replay_disk *d, int fd)
{
	off_t data = 0, hole;

	while (data < (off_t)d->size && (data = lseek(fd, data, SEEK_DATA)) >= 0) {
		hole = lseek(fd, data, SEEK_HOLE);
		for (; data < hole; data += PAGE)
			d->used[data / PAGE] = !is_zero(d->base + data);
	}
}

void replay_open_disk(struct replay_disk *d, const char *base, const char *disk)
{
	size_t size;
	int fd;

	memset(d, 0, sizeof(*d));
	d->base = map_file(base, PROT_READ | PROT_WRITE, MAP_PRIVATE, &d->size, &fd);
	d->disk = map_file(disk, PROT_READ | PROT_WRITE, MAP_SHARED, &size, &d->fd);
	d->used = calloc(1, d->size / PAGE);
	if (size != d->size || d->size % PAGE || !d->used)
		errx(REPLAY_FAILED, "%s: size differs from %s", disk, base);
	find_used(d, fd);
	close(fd);
}

/* Applies a write or a discard, or only some of its sectors. */
static void apply(unsigned char *to, size_t size, const struct replay_entry *entry, uint64_t *torn)
{
	uint64_t i, pos;

	for (i = 0; i < entry->nr_sectors; i++) {
		pos = (entry->sector + i) * SECTOR;
		if (pos + SECTOR > size)
			errx(REPLAY_FAILED, "the log has a write at %llu, past the end of the disk",
			     (unsigned long long)pos);
		if (torn && replay_random(torn, 2))
			continue;
		if (entry->data)
			memcpy(to + pos, entry->data + i * SECTOR, SECTOR);
		else
			memset(to + pos, 0, SECTOR);
	}
}

static bool has_data(const struct replay_entry *entry)
{
	return entry->nr_sectors && !(entry->flags & REPLAY_MARK);
}

static void apply_to_base(struct replay_disk *d, const struct replay_entry *entry)
{
	uint64_t page, end;

	if (!has_data(entry))
		return;
	apply(d->base, d->size, entry, NULL);
	end = (entry->sector + entry->nr_sectors) * SECTOR;
	for (page = entry->sector * SECTOR / PAGE; page * PAGE < end; page++)
		d->used[page] = !is_zero(d->base + page * PAGE);
}

static void punch(const struct replay_disk *d, off_t start, off_t end)
{
	if (start < end && fallocate(d->fd, FALLOC_FL_PUNCH_HOLE | FALLOC_FL_KEEP_SIZE, start,
				     end - start))
		err(REPLAY_FAILED, "punching a hole");
}

/* Mounts of previous cuts have modified pages that are not in the log. */
static void undo_changes(struct replay_disk *d)
{
	off_t data = 0, hole, zeroes;

	while (data < (off_t)d->size && (data = lseek(d->fd, data, SEEK_DATA)) >= 0) {
		hole = lseek(d->fd, data, SEEK_HOLE);
		zeroes = data;
		for (; data < hole; data += PAGE) {
			if (!d->used[data / PAGE])
				continue;
			punch(d, zeroes, data);
			zeroes = data + PAGE;
		}
		punch(d, zeroes, hole);
	}
}

static void copy_base(struct replay_disk *d)
{
	size_t page;

	undo_changes(d);
	for (page = 0; page < d->size / PAGE; page++)
		if (d->used[page] &&
		    memcmp(d->disk + page * PAGE, d->base + page * PAGE, PAGE) != 0)
			memcpy(d->disk + page * PAGE, d->base + page * PAGE, PAGE);
}

static size_t last_flush(const struct replay_log *log, size_t cut)
{
	while (cut && !(log->entries[cut - 1].flags & REPLAY_FLUSH))
		cut--;
	return cut;
}

/* ext4 writes its superblock of two sectors in place and relies on it not being torn. */
static bool can_be_torn(const struct replay_entry *entry)
{
	return entry->nr_sectors > 1 && entry->sector >= 4096 / SECTOR;
}

static void apply_pending(struct replay_disk *d, const struct replay_entry *entry,
			  uint64_t *seed, unsigned int percent, bool lie,
			  struct replay_stats *stats)
{
	if (!has_data(entry))
		return;
	if ((entry->flags & REPLAY_FUA) && !lie) {
		apply(d->disk, d->size, entry, NULL);
		return;
	}
	stats->pending++;
	if (replay_random(seed, 100) < percent) {
		stats->dropped++;
	} else if (can_be_torn(entry) && replay_random(seed, 8) == 0) {
		stats->torn++;
		apply(d->disk, d->size, entry, seed);
	} else {
		apply(d->disk, d->size, entry, NULL);
	}
}

void replay_cut(struct replay_disk *d, const struct replay_log *log, size_t cut, uint64_t *seed,
		size_t lie, struct replay_stats *stats)
{
	static const unsigned int drops[] = { 0, 10, 50, 90, 100 };
	unsigned int percent = drops[replay_random(seed, 5)];
	size_t durable = last_flush(log, cut), i;

	memset(stats, 0, sizeof(*stats));
	if (lie) {
		percent = 50;
		durable = cut > lie ? cut - lie : 0;
	}
	for (; d->applied < durable; d->applied++)
		apply_to_base(d, &log->entries[d->applied]);
	copy_base(d);
	for (i = d->applied; i < cut; i++)
		apply_pending(d, &log->entries[i], seed, percent, lie, stats);
}
