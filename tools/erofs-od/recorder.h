/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Records the READs that are sent to the daemon, through the module's tracepoint in a tracefs
 * instance. A window of 4 KiB keeps them from being widened. A separate process restores
 * everything, however this one ends.
 */
#ifndef OD_RECORDER_H
#define OD_RECORDER_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

/** RECORDER_NAME_MAX - longer names are truncated by the module */
#define RECORDER_NAME_MAX	79

/**
 * struct recorder - a recording
 * @volume: key of the volume to record
 * @read: called for each READ of it, with the name of the cache file
 * @arg: for @read
 * @lost: not all READs could be seen
 * @window: fd of the module's parameter, locked
 * @old: its value
 * @instance: directory of the instance
 * @pipe: fd of its events, or negative
 * @guard: fd that the restoring process waits for
 * @restorer: the restoring process, or 0
 * @text: the start of an incomplete line
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
