/* SPDX-License-Identifier: GPL-2.0-only */
/* What the parts of `hostile` share: a generator, counters, blobs and trees. */
#ifndef HOSTILE_H
#define HOSTILE_H

#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <sys/types.h>

#define SLOTS		10
#define THREADS		6

/* What happened, counted by all processes together. */
#define COUNTS(X)	X(steps) X(opens) X(reads) X(closes) X(copen_ok) X(copen_refused) \
	X(complete_ok) X(complete_refused) X(fill_ok) X(fill_refused) X(fd_closed) X(fd_passed) \
	X(commands) X(culled) X(forks) X(lives) X(kills) X(reader_kills) X(mounts) \
	X(mount_errors) X(checked) X(read_errors) X(bytes) X(wrong) X(broken)

enum count {
#define NAME(name)	NR_##name,
	COUNTS(NAME)
#undef NAME
	NR_COUNTS
};

/**
 * struct shared - what all processes see
 * @stop: readers end after what they are at
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

/** struct dice - a generator of its own for each thread */
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

/** struct blob - a file that the daemon has, and all its bytes */
struct blob {
	char *name;
	const unsigned char *data;
	uint64_t size;
};

extern struct blob *blobs;
extern unsigned int nr_blobs;

/** struct tree - what an image has in it, as files in a folder */
struct tree {
	const char *fsid, *path;
	char **files, **folders;
	unsigned int nr_files, nr_folders;
};

extern struct tree *trees;
extern unsigned int nr_trees;

/**
 * struct options - from the command line
 * @cache: the cache folder
 * @mounts: in it are the mount points, by number
 * @right: what is written to valid ranges of blobs is right, always
 * @seed: of all dice
 * @steps: of the daemon's threads, together
 * @seconds: at most
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
