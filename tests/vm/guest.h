/* SPDX-License-Identifier: GPL-2.0-only */
/* Shared by several guest programs. */
#ifndef GUEST_H
#define GUEST_H

#include <dirent.h>
#include <err.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/*
 * Names in a directory, without those that begin with a dot, at most @max of them.
 * Exits if there are none.
 */
static inline unsigned int list_names(const char *path, char *names[], unsigned int max)
{
	DIR *dir = opendir(path);
	unsigned int nr = 0;
	struct dirent *ent;

	if (!dir)
		err(1, "%s", path);
	while (nr < max && (ent = readdir(dir)))
		if (ent->d_name[0] != '.')
			names[nr++] = strdup(ent->d_name);
	closedir(dir);
	if (!nr)
		errx(1, "%s: no files", path);
	return nr;
}

/* "NAME N, NAME N, ..." */
static inline void format_counts(char *line, size_t size, const char * const names[],
				 const unsigned long counts[], unsigned int nr)
{
	size_t at = 0;
	unsigned int i;

	for (i = 0; i < nr && at < size; i++)
		at += snprintf(line + at, size - at, "%s%s %lu", i ? ", " : "", names[i], counts[i]);
}

#endif
