/* SPDX-License-Identifier: GPL-2.0-only */
/* Shared by the parts of `hostile`: a generator, counters, blobs and trees. */
#ifndef HOSTILE_H
#define HOSTILE_H

#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <sys/types.h>

#define SLOTS		10
#define THREADS		6

/* Events, counted by all processes together. */
#define COUNTS(X)	X(steps) X(opens) X(reads) X(closes) X(copen_ok) X(copen_rejected) \
	X(complete_ok) X(complete_rejected) X(fill_ok) X(fill_rejected) X(fd_closed) X(fd_passed) \
	X(commands) X(culled) X(forks) X(lives) X(kills) X(reader_kills) X(mounts) \
	X(mount_errors) X(checked) X(read_errors) X(bytes) X(wrong) X(broken)

enum count {
#define NAME(name)	NR_##name,
	COUNTS(NAME)
#undef NAME
	NR_COUNTS
};

/**
 * struct shared - memory shared by all processes
 * @stop: readers exit after their current operation
 * @count: see COUNTS
 */
struct shared {
	bool stop;
	unsigned long count[NR_COUNTS];
};

extern struct shared *shared;

static inline void count_by(enum count what, unsigned long by)
{
	__atomic_add_fetch(&shared->count[what], by, __ATOMIC_RELAXED);
}

static inline void count(enum count what)
{
	count_by(what, 1);
}

/** struct dice - one thread's generator */
struct dice {
	uint64_t state;
};

struct dice new_dice(unsigned int life, unsigned int who);
uint64_t any64(struct dice *dice);

/* 0 to below - 1 */
static inline unsigned int any(struct dice *dice, unsigned int below)
{
	return any64(dice) % below;
}

static inline bool one_in(struct dice *dice, unsigned int n)
{
	return any(dice, n) == 0;
}

/** struct blob - a file that the daemon serves, and its data */
struct blob {
	char *name;
	const unsigned char *data;
	uint64_t size;
};

extern struct blob *blobs;
extern unsigned int nr_blobs;

/** struct tree - the contents of an image, as files in a directory */
struct tree {
	const char *fsid, *path;
	char **files, **dirs;
	unsigned int nr_files, nr_dirs;
};

extern struct tree *trees;
extern unsigned int nr_trees;

/**
 * struct options - from the command line
 * @cache: the cache directory
 * @mounts: directory of the mount points, which are numbered
 * @right: only right data is written to valid ranges of blobs
 * @seed: seed of all dice
 * @steps: number of steps of the daemon's threads, in total
 * @seconds: time limit
 */
struct options {
	const char *cache, *mounts;
	bool right;
	unsigned long seed, steps, seconds;
};

extern struct options options;

double now(void);
__attribute__((format(printf, 1, 2))) void say(const char *format, ...);
void slot_path(char path[256], unsigned int slot);

/* hostile_daemon.c */
int open_device(void);
int bind_device(int dev);
void daemon_main(int dev, int keeper, unsigned int life, bool restored) __attribute__((noreturn));
void keeper_main(int sock, unsigned int life) __attribute__((noreturn));

/* hostile_reader.c */
void reader_main(unsigned int slot, unsigned int life) __attribute__((noreturn));
bool clear_slot(unsigned int slot, double seconds);
int check_tree(const char *path, const struct tree *tree);

#endif
