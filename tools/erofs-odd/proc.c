// SPDX-License-Identifier: GPL-2.0-only
#include "proc.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "stats.h"

/* The list is read at most so often, however many requests ask. */
#define FRESH_MS	1000

static FILE *open_file(const char *proc, const char *name)
{
	char path[512];

	snprintf(path, sizeof(path), "%s/fs/cachefiles_od/%s", proc, name);
	return fopen(path, "re");
}

void wanted_init(struct wanted *wanted, const char *proc)
{
	memset(wanted, 0, sizeof(*wanted));
	wanted->proc = proc;
	pthread_mutex_init(&wanted->lock, NULL);
}

void wanted_exit(struct wanted *wanted)
{
	free(wanted->ids);
	wanted->ids = NULL;
}

static int compare_ids(const void *a, const void *b)
{
	uint32_t x = *(const uint32_t *)a, y = *(const uint32_t *)b;

	return (x > y) - (x < y);
}

static bool add_id(struct wanted *wanted, size_t *room, uint32_t id)
{
	size_t more = *room ? 2 * *room : 64;
	uint32_t *ids;

	if (wanted->count == *room) {
		ids = reallocarray(wanted->ids, more, sizeof(*ids));
		if (!ids)
			return false;
		wanted->ids = ids;
		*room = more;
	}
	wanted->ids[wanted->count++] = id;
	return true;
}

/* The first line names the columns, msg_id first. */
static bool read_ids(struct wanted *wanted, FILE *in)
{
	char *line = NULL;
	size_t size = 0, room = 0;
	bool good = getline(&line, &size, in) > 0 && !strncmp(line, "msg_id\t", 7);
	char *end;

	free(wanted->ids);
	wanted->ids = NULL;
	wanted->count = 0;
	while (good && getline(&line, &size, in) > 0) {
		uint32_t id = (uint32_t)strtoul(line, &end, 10);

		good = end != line && *end == '\t' && add_id(wanted, &room, id);
	}
	free(line);
	return good && !ferror(in);
}

static void refresh(struct wanted *wanted, uint64_t now)
{
	FILE *in = open_file(wanted->proc, "requests");

	wanted->read_ms = now;
	wanted->known = in && read_ids(wanted, in);
	if (in)
		fclose(in);
	if (wanted->count)
		qsort(wanted->ids, wanted->count, sizeof(*wanted->ids), compare_ids);
}

/**
 * wanted_still - does somebody still wait for a request?
 * @wanted: the list
 * @msg_id: the request
 * @came_ms: when it was received: a list older than that does not have it
 *
 * A reader may have been killed, or its mount's deadline may have passed; the kernel
 * sends no message of that. When in doubt somebody waits.
 */
bool wanted_still(struct wanted *wanted, uint32_t msg_id, uint64_t came_ms)
{
	uint64_t now = clock_ms();
	bool still;

	pthread_mutex_lock(&wanted->lock);
	if (!wanted->read_ms || now - wanted->read_ms >= FRESH_MS)
		refresh(wanted, now);
	still = !wanted->known || wanted->read_ms <= came_ms ||
		(wanted->count && bsearch(&msg_id, wanted->ids, wanted->count, sizeof(msg_id),
					  compare_ids));
	pthread_mutex_unlock(&wanted->lock);
	return still;
}

/* Backslash and three octal digits stand for other characters than printable ones. */
static void unescape(const char *from, char *to)
{
	unsigned int c;

	while (*from) {
		if (*from == '\\' && sscanf(from + 1, "%3o", &c) == 1 && strlen(from) >= 4) {
			*to++ = (char)c;
			from += 4;
		} else {
			*to++ = *from++;
		}
	}
	*to = '\0';
}

/* A line for each cache, and one that names the columns. */
static bool are_several(const char *proc)
{
	FILE *in = open_file(proc, "caches");
	char *line = NULL;
	size_t size = 0;
	int lines = 0;

	if (!in)
		return false;
	while (getline(&line, &size, in) > 0)
		lines++;
	free(line);
	fclose(in);
	return lines > 2;
}

/**
 * proc_cache_dir - directory of the cache that is bound
 * @proc: where /proc is
 * @dir: gets the path
 * @size: bytes of @dir
 *
 * Return: 0, or -ENOENT if there is none, or several
 */
int proc_cache_dir(const char *proc, char *dir, size_t size)
{
	FILE *in = are_several(proc) ? NULL : open_file(proc, "cache");
	char *line = NULL;
	size_t room = 0;
	int err = -ENOENT;

	if (!in)
		return -ENOENT;
	while (err && getline(&line, &room, in) > 0) {
		line[strcspn(line, "\n")] = '\0';
		if (strncmp(line, "dir\t", 4) || strlen(line + 4) >= size)
			continue;
		unescape(line + 4, dir);
		err = *dir == '/' ? 0 : -ENOENT;
	}
	free(line);
	fclose(in);
	return err;
}
