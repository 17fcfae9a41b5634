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

/** proc_cache_id - number of the cache that is bound to a device, 0 if the module does not say */
unsigned long proc_cache_id(const char *proc, int dev)
{
	unsigned long id = 0;
	char line[256];
	FILE *in;

	snprintf(line, sizeof(line), "%s/self/fdinfo/%d", proc, dev);
	in = fopen(line, "re");
	if (!in)
		return 0;
	while (!id && fgets(line, sizeof(line), in))
		if (!strncmp(line, "cache:\t", 7))
			id = strtoul(line + 7, NULL, 10);
	fclose(in);
	return id;
}

/* Which column of a table has this name? -1 for none. */
static int column_of(const char *head, const char *name)
{
	size_t len = strlen(name);
	int nr = 0;

	for (; head; head = strchr(head, '\t'), nr++) {
		head += *head == '\t';
		if (!strncmp(head, name, len) && (!head[len] || head[len] == '\t'))
			return nr;
	}
	return -1;
}

/* Cuts a column out of a line; NULL if there are not so many. */
static char *cell(char *line, int nr)
{
	while (line && nr--) {
		line = strchr(line, '\t');
		line += line != NULL;
	}
	if (line)
		line[strcspn(line, "\t")] = '\0';
	return line;
}

static char *next_line(FILE *in, char **line, size_t *room)
{
	if (getline(line, room, in) <= 0)
		return NULL;
	(*line)[strcspn(*line, "\n")] = '\0';
	return *line;
}

static int keep_dir(const char *escaped, char *dir, size_t size)
{
	if (!escaped || strlen(escaped) >= size)
		return -ENOENT;
	unescape(escaped, dir);
	return *dir == '/' ? 0 : -ENOENT;
}

/* Of one of several caches, by its number: the first column. */
static int dir_of_cache(const char *proc, unsigned long id, char *dir, size_t size)
{
	FILE *in = open_file(proc, "caches");
	char *line = NULL;
	int err = -ENOENT, nr;
	size_t room = 0;

	if (!in)
		return -ENOENT;
	nr = next_line(in, &line, &room) ? column_of(line, "dir") : -1;
	while (nr >= 0 && err && next_line(in, &line, &room))
		if (strtoul(line, NULL, 10) == id)
			err = keep_dir(cell(line, nr), dir, size);
	free(line);
	fclose(in);
	return err;
}

/* Of a module that has one cache. */
static int dir_of_the_cache(const char *proc, char *dir, size_t size)
{
	FILE *in = open_file(proc, "cache");
	char *line = NULL;
	int err = -ENOENT;
	size_t room = 0;

	if (!in)
		return -ENOENT;
	while (err && next_line(in, &line, &room))
		if (!strncmp(line, "dir\t", 4))
			err = keep_dir(line + 4, dir, size);
	free(line);
	fclose(in);
	return err;
}

/**
 * proc_cache_dir - directory of the cache that is bound to a device
 * @proc: where /proc is
 * @dev: the device
 * @dir: gets the path
 * @size: bytes of @dir
 *
 * Return: 0, or -ENOENT
 */
int proc_cache_dir(const char *proc, int dev, char *dir, size_t size)
{
	unsigned long id = proc_cache_id(proc, dev);

	return id ? dir_of_cache(proc, id, dir, size) : dir_of_the_cache(proc, dir, size);
}
