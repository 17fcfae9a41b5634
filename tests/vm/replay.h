/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Possible states of a disk after a power cut, from a log of dm-log-writes.
 *
 * The log has writes and flushes in order of completion; a flush follows all
 * writes that it covers. A cut after N entries leaves everything up to the last
 * flush, every FUA write, and any subset of the other writes after that flush:
 * some dropped, some torn at a sector. Writes to one sector keep their order, as
 * in a disk's cache, so that a subset can be applied in the order of the log.
 */
#ifndef REPLAY_H
#define REPLAY_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/** struct replay_entry - one entry of the log; @data is NULL if it has none */
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

/** struct replay_disk - the disk before the log, and its state at a cut */
struct replay_disk {
	unsigned char *base, *disk;
	unsigned char *used;	/* a byte for each page of @base that is not all zeroes */
	size_t size, applied;
	int fd;
};

/** struct replay_stats - counts of writes not covered by a flush */
struct replay_stats {
	unsigned int pending, dropped, torn;
};

void replay_read_log(struct replay_log *log, const char *path);

/**
 * replay_open_disk - opens base and cut disk, files of the same size
 * @base: not modified
 * @disk: backing file of a loop device; rewritten by every replay_cut()
 */
void replay_open_disk(struct replay_disk *d, const char *base, const char *disk);

/**
 * replay_cut - sets the disk to a state after a cut
 * @cut: number of log entries before the cut; not less than in the previous call
 * @seed: selects what is dropped and torn; advanced
 * @lie: the disk ignores flushes: of the last @lie entries any write may be dropped
 */
void replay_cut(struct replay_disk *d, const struct replay_log *log, size_t cut, uint64_t *seed,
		size_t lie, struct replay_stats *stats);

/** replay_random - next pseudo-random number, less than @below */
uint64_t replay_random(uint64_t *seed, uint64_t below);

#endif
