// SPDX-License-Identifier: GPL-2.0-only
#include "reads.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "status.h"

/** waits_parse - parse numbers separated by commas; none if @text is invalid */
void waits_parse(struct waits *waits, const char *text)
{
	char *end;

	memset(waits, 0, sizeof(*waits));
	while (waits->count < WAITS_MAX && *text >= '0' && *text <= '9') {
		waits->classes[waits->count] = strtoull(text, &end, 10);
		waits->total += waits->classes[waits->count++];
		text = *end == ',' ? end + 1 : end;
	}
}

/** waits_part - "< 8 ms": upper bound for @percent of the waits; "-" if there are none */
char *waits_part(const struct waits *waits, unsigned int percent, char buf[static HUMAN_SIZE])
{
	uint64_t seen = 0;
	char age[HUMAN_SIZE];
	size_t i;

	for (i = 0; i < waits->count; i++) {
		seen += waits->classes[i];
		if (seen && seen * 100 >= waits->total * percent)
			break;
	}
	if (!waits->total)
		snprintf(buf, HUMAN_SIZE, "-");
	else if (i && i + 1 == waits->count)
		snprintf(buf, HUMAN_SIZE, "> %.20s", human_age(1ULL << (i - 1), age));
	else
		snprintf(buf, HUMAN_SIZE, "< %.20s", human_age(1ULL << i, age));
	return buf;
}

/* "EIO:3,ENOSPC:1", or "-" */
static void print_errors(const char *errors, FILE *out)
{
	if (*errors && strcmp(errors, "-"))
		fprintf(out, "Errors: %s\n", errors);
}

/* Prints what was fetched and not read, if the module reports that. */
static void print_unused(const char *unused, FILE *out)
{
	char text[HUMAN_SIZE];

	if (*unused)
		fprintf(out, ", %s of it unused", human_bytes(strtoull(unused, NULL, 10), text));
}

/** reads_show_cache - print two lines for a cache; none if the module does not count its reads */
void reads_show_cache(const struct status *status, size_t cache, FILE *out)
{
	const char *hits = status_of_cache(status, cache, "hits");
	char served[HUMAN_SIZE], filled[HUMAN_SIZE], half[HUMAN_SIZE], most[HUMAN_SIZE];
	struct waits waits;

	if (!*hits)
		return;
	waits_parse(&waits, status_of_cache(status, cache, "waits_ms"));
	human_bytes(strtoull(status_of_cache(status, cache, "bytes_served"), NULL, 10), served);
	human_bytes(strtoull(status_of_cache(status, cache, "bytes_filled"), NULL, 10), filled);
	fprintf(out, "Reads:  %s hits, %s misses; %s served, %s fetched", hits,
		status_of_cache(status, cache, "misses"), served, filled);
	print_unused(status_of_cache(status, cache, "bytes_unused"), out);
	if (waits.total)
		fprintf(out, "; half of the misses waited %s, 99%% %s",
			waits_part(&waits, 50, half), waits_part(&waits, 99, most));
	putc('\n', out);
	print_errors(status_of_cache(status, cache, "errors"), out);
}

static void add_bytes(struct grid *grid, const struct table *table, size_t row, const char *column)
{
	char text[HUMAN_SIZE];

	grid_add(grid, human_bytes(table_number(table, row, column), text));
}

static void add_reads(struct grid *grid, const struct table *table, size_t row, const char *name,
		      bool filled)
{
	char text[HUMAN_SIZE];
	struct waits waits;

	waits_parse(&waits, table_get(table, row, "waits_ms"));
	grid_name(grid, table_get(table, row, name));
	grid_add(grid, table_get(table, row, "hits"));
	grid_add(grid, table_get(table, row, "misses"));
	add_bytes(grid, table, row, "bytes_served");
	if (filled) {
		add_bytes(grid, table, row, "bytes_filled");
		add_bytes(grid, table, row, "bytes_unused");
		grid_add(grid, table_get(table, row, "reads_sent"));
	}
	grid_add(grid, waits_part(&waits, 50, text));
	grid_add(grid, waits_part(&waits, 99, text));
	grid_add(grid, table_get(table, row, "errors"));
}

static void show_table(const struct table *table, const char *name, const char *const *head,
		       struct grid *grid, bool filled, FILE *out)
{
	size_t i;

	if (!table->rows || !*table_get(table, 0, "hits"))
		return;
	for (i = 0; i < grid->columns; i++)
		grid_add(grid, head[i]);
	for (i = 0; i < table->rows; i++)
		add_reads(grid, table, i, name, filled);
	putc('\n', out);
	grid_print(grid, out);
	grid_free(grid);
}

/** reads_show - print the read statistics of each mount and blob */
void reads_show(const struct status *status, FILE *out)
{
	static const char *const mounts[] = { "IMAGE", "HITS", "MISSES", "SERVED", "HALF", "99%",
					      "ERRORS" };
	static const char *const blobs[] = { "BLOB", "HITS", "MISSES", "SERVED", "FETCHED",
					     "UNUSED", "READS", "HALF", "99%", "ERRORS" };
	struct grid grid = { .columns = 7, .align = "lrrrrrl" };

	show_table(&status->reads, "fsid", mounts, &grid, false, out);
	grid = (struct grid) { .columns = 10, .align = "lrrrrrrrrl" };
	show_table(&status->blobs, "blob", blobs, &grid, true, out);
}
