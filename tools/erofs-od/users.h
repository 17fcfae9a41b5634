/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Processes that keep a mount, and with it its cache, in use: those that have files on it open
 * or are in a mount namespace that contains it; and those that serve a cache.
 */
#ifndef OD_USERS_H
#define OD_USERS_H

#include <stddef.h>

/**
 * struct user - one reason
 * @dev: MAJOR:MINOR of the mount; "" if there is none
 * @cache: number of the cache it serves; 0 for a mount
 * @pid: a process
 * @name: its name
 * @how: how it uses the mount
 */
struct user {
	char *dev;
	unsigned long cache;
	long pid;
	char *name;
	const char *how;
};

/**
 * struct users - the processes found
 * @list: sorted by process ID
 * @count: number of entries in @list
 * @devs: mounts to look for
 * @nr_devs: how many
 */
struct users {
	struct user *list;
	size_t count;
	const char *const *devs;
	size_t nr_devs;
};

int users_find(struct users *users, const char *proc);
void users_free(struct users *users);

#endif
