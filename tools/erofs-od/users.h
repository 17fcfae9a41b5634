/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Processes that keep a mount, and with it its cache, in use: those that have files of it
 * open, or are in a mount namespace where it is mounted; and those that serve a cache.
 */
#ifndef OD_USERS_H
#define OD_USERS_H

#include <stddef.h>

/**
 * struct user - one reason
 * @dev: of the mount, MAJOR:MINOR; "" if it is not about one
 * @cache: number of the cache that it serves; 0 if it is about a mount
 * @pid: a process
 * @name: its name
 * @how: what it has of the mount
 */
struct user {
	char *dev;
	unsigned long cache;
	long pid;
	char *name;
	const char *how;
};

/**
 * struct users - all that were found
 * @list: in the order of the process ids
 * @count: how many
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
