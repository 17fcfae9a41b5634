// SPDX-License-Identifier: GPL-2.0-only
#include "proc.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "fdinfo.h"
#include "stats.h"

/* The list is reread at most this often, however many requests ask. */
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
 * wanted_still - whether a reader still waits for a request
 * @wanted: the list
 * @msg_id: the request
 * @came_ms: when it was received: an older list does not have it
 *
 * A reader may have been killed, or its mount's deadline may have passed; the kernel sends no
 * message for that. True if in doubt.
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

static unsigned long bound_cache(const char *proc, int dev)
{
	char path[512];

	snprintf(path, sizeof(path), "%s/self/fdinfo/%d", proc, dev);
	return fdinfo_cache(fopen(path, "re"));
}

static int load(const char *proc, const char *name, struct table *table)
{
	char path[512];

	snprintf(path, sizeof(path), "%s/fs/cachefiles_od/%s", proc, name);
	return table_load(table, path);
}

/**
 * proc_own_cache - find the kernel's row for the cache that is bound to a device
 * @proc: path of /proc
 * @dev: the device
 * @caches: the kernel's table of caches; call table_free() in any case
 * @row: gets its row in @caches
 *
 * Return: 0; -ENOENT if none is bound, or the module does not report which; or another negative
 * errno
 */
int proc_own_cache(const char *proc, int dev, struct table *caches, size_t *row)
{
	unsigned long id = bound_cache(proc, dev);
	int err = load(proc, "caches", caches);

	if (err)
		return err;
	for (*row = 0; id && *row < caches->rows; ++*row)
		if (table_number(caches, *row, "cache") == id)
			return 0;
	return -ENOENT;
}

static int keep_dir(const char *from, char *dir, size_t size)
{
	if (!from || *from != '/' || strlen(from) >= size)
		return -ENOENT;
	strcpy(dir, from);
	return 0;
}

/**
 * proc_cache_dir - get the directory of the cache that is bound to a device
 * @proc: path of /proc
 * @dev: the device
 * @dir: gets the path
 * @size: bytes of @dir
 *
 * A module that does not report which cache that is has only one.
 *
 * Return: 0, or -ENOENT
 */
int proc_cache_dir(const char *proc, int dev, char *dir, size_t size)
{
	struct table table;
	size_t row;
	int err;

	if (bound_cache(proc, dev)) {
		err = proc_own_cache(proc, dev, &table, &row) ?:
		      keep_dir(table_get(&table, row, "dir"), dir, size);
	} else {
		err = load(proc, "cache", &table) ?:
		      keep_dir(table_find(&table, "dir"), dir, size);
	}
	table_free(&table);
	return err ? -ENOENT : 0;
}
