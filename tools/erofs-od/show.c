// SPDX-License-Identifier: GPL-2.0-only
#include <stdlib.h>
#include <string.h>

#include "human.h"
#include "reads.h"
#include "status.h"

static void add_bytes(struct grid *grid, uint64_t bytes)
{
	char text[HUMAN_SIZE];

	grid_add(grid, human_bytes(bytes, text));
}

static void add_percent(struct grid *grid, uint64_t part, uint64_t whole)
{
	char text[HUMAN_SIZE];

	grid_add(grid, human_percent(part, whole, text));
}

static void add_number(struct grid *grid, uint64_t number)
{
	char text[HUMAN_SIZE];

	snprintf(text, sizeof(text), "%llu", (unsigned long long)number);
	grid_add(grid, text);
}

static void add_age(struct grid *grid, uint64_t ms)
{
	char text[HUMAN_SIZE];

	grid_add(grid, human_age(ms, text));
}

static void add_row(struct grid *grid, const char *const *texts)
{
	size_t i;

	for (i = 0; i < grid->columns; i++)
		grid_add(grid, texts[i]);
}

/* Older modules do not report it. */
static void show_room(const struct status *status, size_t cache, FILE *out)
{
	const char *room = status_of_cache(status, cache, "room");
	const char *passed = status_of_cache(status, cache, "bytes_passed");
	uint64_t bytes = strtoull(passed, NULL, 10);
	char text[HUMAN_SIZE];

	if (!*room)
		return;
	fprintf(out, "Room:   %s", room);
	if (!strcmp(status_of_cache(status, cache, "culling"), "yes"))
		fputs(", culling", out);
	if (bytes)
		fprintf(out, ", %s were passed on and not kept", human_bytes(bytes, text));
	putc('\n', out);
}

static const char *or(const char *text, const char *otherwise)
{
	return *text ? text : otherwise;
}

static void show_cache(const struct status *status, size_t cache, FILE *out)
{
	const char *tag = status_of_cache(status, cache, "tag");

	fprintf(out, "Daemon: %s\n", or(status_of_cache(status, cache, "daemon"), "unknown"));
	fprintf(out, "Cache:  %s", or(status_of_cache(status, cache, "dir"), "-"));
	if (*tag)
		fprintf(out, " (%s)", tag);
	fprintf(out, ", %s blobs, %s requests\n", or(status_of_cache(status, cache, "blobs"), "0"),
		or(status_of_cache(status, cache, "requests"), "0"));
	show_room(status, cache, out);
	reads_show_cache(status, cache, out);
}

static void show_caches(const struct status *status, FILE *out)
{
	size_t i;

	for (i = 0; i < status_caches(status); i++) {
		if (i)
			putc('\n', out);
		show_cache(status, i, out);
	}
}

static void show_pins(const struct status *status, FILE *out)
{
	static const char *const head[] = { "PINNED", "CACHE" };
	struct grid grid = { .columns = status_caches(status) > 1 ? 2 : 1, .align = "ll" };
	size_t i, j;

	add_row(&grid, head);
	for (i = 0; i < status_caches(status); i++) {
		for (j = 0; j < status->pins[i].count; j++) {
			grid_name(&grid, status->pins[i].names[j]);
			if (grid.columns > 1)
				grid_name(&grid, status_of_cache(status, i, "tag"));
		}
	}
	if (grid.count > grid.columns) {
		putc('\n', out);
		grid_print(&grid, out);
	}
	grid_free(&grid);
}

static void add_mount(struct grid *grid, const struct mounted *mounted, const char *target)
{
	grid_name(grid, target);
	grid_name(grid, mounted->fsid);
	grid_name(grid, mounted->domain);
	add_number(grid, mounted->blob_count);
	add_bytes(grid, mounted->size);
	add_bytes(grid, mounted->present);
	add_percent(grid, mounted->present, mounted->size);
	add_number(grid, mounted->waiting);
	if (mounted->oldest_ms)
		add_age(grid, mounted->oldest_ms);
	else
		grid_add(grid, "-");
}

static void show_mounts(const struct status *status, FILE *out)
{
	static const char *const head[] = { "MOUNTED ON", "IMAGE", "DOMAIN", "BLOBS", "SIZE",
					    "PRESENT", "%", "WAITING", "OLDEST" };
	struct grid grid = { .columns = 9, .align = "lllrrrrrr" };
	size_t i, j;

	if (!status->mount_count) {
		fputs("\nNo image is mounted.\n", out);
		return;
	}
	add_row(&grid, head);
	for (i = 0; i < status->mount_count; i++) {
		const struct mounted *mounted = &status->mounts[i];

		/* Mounted in another namespace, or detached and still in use. */
		if (!mounted->target_count)
			add_mount(&grid, mounted, "-");
		for (j = 0; j < mounted->target_count; j++)
			add_mount(&grid, mounted, mounted->targets[j]);
	}
	putc('\n', out);
	grid_print(&grid, out);
	grid_free(&grid);
}

/* Tag of a cache, by its number. */
static const char *tag_of(const struct status *status, const char *id)
{
	size_t i;

	for (i = 0; i < status->caches.rows; i++)
		if (!strcmp(table_get(&status->caches, i, "cache"), id))
			return table_get(&status->caches, i, "tag");
	return "-";
}

static void add_user(struct grid *grid, const struct status *status, const struct user *user,
		     const struct mounted *mounted)
{
	char id[HUMAN_SIZE], text[128];

	if (mounted)
		snprintf(id, sizeof(id), "%s", table_get(&status->uses,
							 mounted->blobs[0].mount_row, "cache"));
	else
		snprintf(id, sizeof(id), "%lu", user->cache);
	grid_name(grid, tag_of(status, id));
	grid_name(grid, mounted ? mounted->fsid : "-");
	snprintf(text, sizeof(text), "%ld (%s)", user->pid, user->name);
	grid_name(grid, text);
	grid_add(grid, user->how);
}

/* Those that serve a cache, then those that use its mounts. */
static void show_users(const struct status *status, FILE *out)
{
	static const char *const head[] = { "CACHE", "IMAGE", "USED BY", "AS" };
	struct grid grid = { .columns = 4, .align = "llll" };
	size_t i, j;

	add_row(&grid, head);
	for (i = 0; i < status->users.count; i++)
		if (status->users.list[i].cache)
			add_user(&grid, status, &status->users.list[i], NULL);
	for (i = 0; i < status->mount_count; i++)
		for (j = 0; j < status->users.count; j++)
			if (!strcmp(status->mounts[i].dev, status->users.list[j].dev))
				add_user(&grid, status, &status->users.list[j], &status->mounts[i]);
	if (grid.count > grid.columns) {
		putc('\n', out);
		grid_print(&grid, out);
	}
	grid_free(&grid);
}

static void show_blobs(const struct status *status, FILE *out)
{
	static const char *const head[] = { "VOLUME", "BLOB", "STATE", "SIZE", "PRESENT", "%",
					    "WAITING" };
	struct grid grid = { .columns = 7, .align = "lllrrrr" };
	const struct table *blobs = &status->blobs;
	size_t i;

	if (!blobs->rows)
		return;
	add_row(&grid, head);
	for (i = 0; i < blobs->rows; i++) {
		uint64_t size = table_number(blobs, i, "size");
		uint64_t present = table_number(blobs, i, "present");

		grid_name(&grid, table_get(blobs, i, "volume"));
		grid_name(&grid, table_get(blobs, i, "blob"));
		grid_name(&grid, table_get(blobs, i, "state"));
		add_bytes(&grid, size);
		add_bytes(&grid, present);
		add_percent(&grid, present, size);
		add_number(&grid, table_number(blobs, i, "waiting"));
	}
	putc('\n', out);
	grid_print(&grid, out);
	grid_free(&grid);
}

static void show_requests(const struct status *status, FILE *out)
{
	static const char *const head[] = { "REQUEST", "WHAT", "STATE", "BLOB", "OFFSET", "LENGTH",
					    "WAITING", "AGE" };
	struct grid grid = { .columns = 8, .align = "rlllrrrr" };
	const struct table *requests = &status->requests;
	size_t i;

	if (!requests->rows)
		return;
	add_row(&grid, head);
	for (i = 0; i < requests->rows; i++) {
		grid_name(&grid, table_get(requests, i, "msg_id"));
		grid_name(&grid, table_get(requests, i, "opcode"));
		grid_name(&grid, table_get(requests, i, "state"));
		grid_name(&grid, table_get(requests, i, "blob"));
		add_bytes(&grid, table_number(requests, i, "offset"));
		add_bytes(&grid, table_number(requests, i, "length"));
		add_number(&grid, table_number(requests, i, "waiters"));
		add_age(&grid, table_number(requests, i, "age_ms"));
	}
	putc('\n', out);
	grid_print(&grid, out);
	grid_free(&grid);
}

/**
 * status_show - print as text
 * @status: state to print
 * @verbose: print each blob and each request as well
 * @out: output
 */
void status_show(const struct status *status, bool verbose, FILE *out)
{
	show_caches(status, out);
	show_mounts(status, out);
	show_pins(status, out);
	if (!verbose)
		return;
	show_users(status, out);
	show_blobs(status, out);
	reads_show(status, out);
	show_requests(status, out);
}
