/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Records the READs that the daemon is sent, by the module's tracepoint in an instance of
 * tracefs, with a window of 4 KiB, so that they are what was wanted and no more. A process of
 * its own puts all back, however this one ends.
 */
#ifndef OD_RECORDER_H
#define OD_RECORDER_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

/** RECORDER_NAME_MAX - longer names are cut by the module */
#define RECORDER_NAME_MAX	79

/**
 * struct recorder - a recording
 * @volume: key of the volume whose READs are wanted
 * @read: called for each READ of it, with the name of the cache file
 * @arg: for @read
 * @lost: not all READs could be seen
 * @window: fd of the module's parameter, locked
 * @old: its value
 * @instance: directory of the instance
 * @pipe: fd of its events, or negative
 * @guard: fd that the restoring process waits for
 * @restorer: that process, or 0
 * @text: the start of a line whose rest is to come
 * @used: bytes of @text
 */
struct recorder {
	const char *volume;
	void (*read)(void *arg, const char *name, uint64_t start, uint64_t len);
	void *arg;
	bool lost;
	int window;
	char old[16];
	char *instance;
	int pipe;
	int guard;
	pid_t restorer;
	char text[8192];
	size_t used;
};

int recorder_begin(struct recorder *recorder, const char *sysroot);
int recorder_drain(struct recorder *recorder);
void recorder_end(struct recorder *recorder);

#endif
