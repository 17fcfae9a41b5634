// SPDX-License-Identifier: GPL-2.0-only
#include "table.h"

#include <errno.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

static bool is_octal(char c)
{
	return c >= '0' && c <= '7';
}

/* Decodes \ooo in place. */
static void unescape(char *text)
{
	char *out = text;
	int c;

	for (; *text; text++) {
		if (text[0] != '\\' || text[1] < '0' || text[1] > '3' || !is_octal(text[2]) ||
		    !is_octal(text[3])) {
			*out++ = *text;
			continue;
		}
		c = (text[1] - '0') << 6 | (text[2] - '0') << 3 | (text[3] - '0');
		/* A NUL would truncate the string. No name has one. */
		*out++ = (char)(c ? c : '?');
		text += 3;
	}
	*out = '\0';
}

static size_t count(const char *text, char c)
{
	size_t n = 0;

	for (; *text; text++)
		n += *text == c;
	return n;
}

/* Missing columns at the end of a row are empty, additional ones are dropped. */
static void split_row(char *line, char **cells, size_t columns)
{
	static char empty[] = "";
	size_t i;

	for (i = 0; i < columns; i++) {
		cells[i] = line ? strsep(&line, "\t") : empty;
		unescape(cells[i]);
	}
}

/**
 * table_parse - split a text into a table
 * @table: filled in
 * @text: from malloc(); ownership passes to @table
 *
 * Return: 0; -ENODATA without a header; -ENOMEM. Call table_free() in any case.
 */
int table_parse(struct table *table, char *text)
{
	size_t lines = count(text, '\n') + 1;
	char *line = strsep(&text, "\n");

	memset(table, 0, sizeof(*table));
	table->text = line;
	if (!*line)
		return -ENODATA;
	table->columns = count(line, '\t') + 1;
	table->cells = calloc(lines * table->columns, sizeof(*table->cells));
	if (!table->cells)
		return -ENOMEM;
	split_row(line, table->cells, table->columns);
	while ((line = strsep(&text, "\n")) != NULL) {
		if (!*line)
			continue;
		table->rows++;
		split_row(line, table->cells + table->rows * table->columns, table->columns);
	}
	return 0;
}

/**
 * table_load - read a table
 * @table: filled in; call table_free() even after an error
 * @path: of the file
 *
 * Return: 0 or a negative errno
 */
int table_load(struct table *table, const char *path)
{
	FILE *in = fopen(path, "re");
	char *text = NULL;
	size_t size = 0;
	int err = 0;

	memset(table, 0, sizeof(*table));
	if (!in)
		return -errno;
	if (getdelim(&text, &size, '\0', in) < 0)
		err = ferror(in) ? -EIO : -ENODATA;
	fclose(in);
	if (!err)
		return table_parse(table, text);
	free(text);
	return err;
}

void table_free(struct table *table)
{
	free(table->text);
	free(table->cells);
	memset(table, 0, sizeof(*table));
}

/** table_get - text of a cell, "" if there is no such column */
const char *table_get(const struct table *table, size_t row, const char *column)
{
	size_t i;

	for (i = 0; i < table->columns; i++)
		if (!strcmp(table->cells[i], column))
			return table->cells[(row + 1) * table->columns + i];
	return "";
}

/** table_number - value of a cell, 0 if it is not a number */
uint64_t table_number(const struct table *table, size_t row, const char *column)
{
	return strtoull(table_get(table, row, column), NULL, 10);
}

/** table_find - value of a name in a table of names and values, or NULL */
const char *table_find(const struct table *table, const char *name)
{
	size_t row;

	for (row = 0; row < table->rows; row++)
		if (!strcmp(table_get(table, row, "name"), name))
			return table_get(table, row, "value");
	return NULL;
}
