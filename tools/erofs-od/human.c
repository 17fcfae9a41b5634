// SPDX-License-Identifier: GPL-2.0-only
#include "human.h"

#include <err.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

/** human_bytes - "512 B", "1.5 MiB" */
char *human_bytes(uint64_t bytes, char buf[static HUMAN_SIZE])
{
	static const char units[] = "KMGTPE";
	double value = (double)bytes / 1024;
	size_t unit = 0;

	if (bytes < 1024) {
		snprintf(buf, HUMAN_SIZE, "%" PRIu64 " B", bytes);
		return buf;
	}
	/* 1023.95 would be printed as 1024.0. */
	while (value >= 1023.95 && unit + 1 < sizeof(units) - 1) {
		value /= 1024;
		unit++;
	}
	snprintf(buf, HUMAN_SIZE, "%.1f %ciB", value, units[unit]);
	return buf;
}

/** human_percent - "42.0%"; 100% only if complete; 0 bytes are complete */
char *human_percent(uint64_t part, uint64_t whole, char buf[static HUMAN_SIZE])
{
	double percent;

	if (part >= whole) {
		strcpy(buf, "100%");
		return buf;
	}
	percent = 100.0 * (double)part / (double)whole;
	snprintf(buf, HUMAN_SIZE, "%.1f%%", percent > 99.9 ? 99.9 : percent);
	return buf;
}

/** human_age - "350 ms", "12.5 s", "3 min 20 s", "2 h 5 min" */
char *human_age(uint64_t ms, char buf[static HUMAN_SIZE])
{
	uint64_t s = ms / 1000;

	if (ms < 1000)
		snprintf(buf, HUMAN_SIZE, "%" PRIu64 " ms", ms);
	else if (s < 60)
		snprintf(buf, HUMAN_SIZE, "%" PRIu64 ".%" PRIu64 " s", s, ms % 1000 / 100);
	else if (s < 3600)
		snprintf(buf, HUMAN_SIZE, "%" PRIu64 " min %" PRIu64 " s", s / 60, s % 60);
	else
		snprintf(buf, HUMAN_SIZE, "%" PRIu64 " h %" PRIu64 " min", s / 3600,
			 s % 3600 / 60);
	return buf;
}

/** grid_add - append a cell; @columns cells make a row */
void grid_add(struct grid *grid, const char *text)
{
	char **cells = realloc(grid->cells, (grid->count + 1) * sizeof(*cells));

	if (cells)
		grid->cells = cells;
	if (!cells || !(cells[grid->count] = strdup(text)))
		err(EXIT_FAILURE, "erofs-od");
	grid->count++;
}

static size_t column_width(const struct grid *grid, size_t column)
{
	size_t width = 0, i;

	for (i = column; i < grid->count; i += grid->columns)
		if (strlen(grid->cells[i]) > width)
			width = strlen(grid->cells[i]);
	return width;
}

static void print_row(const struct grid *grid, const int *widths, size_t row, FILE *out)
{
	size_t i;

	for (i = 0; i < grid->columns; i++) {
		const char *text = grid->cells[row * grid->columns + i];

		if (i)
			fputs("  ", out);
		if (grid->align[i] == 'r')
			fprintf(out, "%*s", widths[i], text);
		else if (i + 1 < grid->columns)
			fprintf(out, "%-*s", widths[i], text);
		else
			fputs(text, out);
	}
	putc('\n', out);
}

/** grid_name - append a name, escaping bytes that would control the terminal */
void grid_name(struct grid *grid, const char *name)
{
	const unsigned char *p = (const unsigned char *)name;
	char text[4 * 256 + 1];
	size_t used = 0;

	for (; *p && used + 5 < sizeof(text); p++) {
		if (*p >= 0x20 && *p != 0x7f)
			text[used++] = (char)*p;
		else
			used += (size_t)snprintf(text + used, sizeof(text) - used, "\\%03o", *p);
	}
	text[used] = '\0';
	grid_add(grid, *text ? text : "-");
}

/** grid_print - print all rows, two spaces between columns */
void grid_print(const struct grid *grid, FILE *out)
{
	int *widths = calloc(grid->columns, sizeof(*widths));
	size_t i;

	if (!widths)
		err(EXIT_FAILURE, "erofs-od");
	for (i = 0; i < grid->columns; i++)
		widths[i] = (int)column_width(grid, i);
	for (i = 0; i < grid->count / grid->columns; i++)
		print_row(grid, widths, i, out);
	free(widths);
}

void grid_free(struct grid *grid)
{
	while (grid->count)
		free(grid->cells[--grid->count]);
	free(grid->cells);
	grid->cells = NULL;
}
