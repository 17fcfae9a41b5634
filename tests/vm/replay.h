/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * What a disk may hold after a power cut, from a log of dm-log-writes.
 *
 * The log has each write when it had completed and each flush when it had
 * completed, with all writes before it that the flush covers. A cut after N
 * entries leaves everything up to the last flush, every write with FUA, and of
 * the other writes after that flush any subset: some dropped, some torn at a
 * sector. Writes to one sector keep their order, as in a disk's cache, so that
 * the order in which a subset is applied makes no difference.
 */
#ifndef REPLAY_H
#define REPLAY_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/** struct replay_entry - one entry of the log; @data is NULL where it has none */
struct replay_entry {
	uint64_t sector, nr_sectors;
	uint64_t flags;
	const unsigned char *data;
	size_t len;
};

#define REPLAY_FLUSH	1
#define REPLAY_FUA	2
#define REPLAY_DISCARD	4
#define REPLAY_MARK	8

/** REPLAY_FAILED - exit status when the log or the disk cannot be used */
#define REPLAY_FAILED	4

struct replay_log {
	struct replay_entry *entries;
	size_t nr, cap;
};

/** struct replay_disk - the disk as it was before the log, and its state at a cut */
struct replay_disk {
	unsigned char *base, *disk;
	unsigned char *used;	/* a byte for each page of @base that is not all zeroes */
	size_t size, applied;
	int fd;
};

/** struct replay_stats - what happened to the writes that no flush covers */
struct replay_stats {
	unsigned int pending, dropped, torn;
};

void replay_read_log(struct replay_log *log, const char *path);

/**
 * replay_open_disk - base and cut disk are files of one size
 * @base: not changed
 * @disk: what a loop device is on; made anew by every replay_cut()
 */
void replay_open_disk(struct replay_disk *d, const char *base, const char *disk);

/**
 * replay_cut - the disk after a cut
 * @cut: entries of the log before it; not less than at the call before
 * @seed: of what is dropped and torn; advanced
 * @lie: the disk does not flush: writes are dropped from the last @lie entries, flushed or not
 */
void replay_cut(struct replay_disk *d, const struct replay_log *log, size_t cut, uint64_t *seed,
		size_t lie, struct replay_stats *stats);

/** replay_random - the next number of a sequence, below @below */
uint64_t replay_random(uint64_t *seed, uint64_t below);

#endif
