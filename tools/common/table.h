/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The status files in /proc: a header line, then rows, with columns separated by tabs
 * and unusual bytes as \ooo. Columns are found by name: a newer module may have more
 * of them, in another order.
 */
#ifndef OD_TABLE_H
#define OD_TABLE_H

#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

/**
 * struct table - a file of rows
 * @text: contents of the file, split in place
 * @cells: (@rows + 1) * @columns strings, the header first
 * @columns: number of columns of the header
 * @rows: number of rows without the header
 */
struct table {
	char *text;
	char **cells;
	size_t columns;
	size_t rows;
};

int table_parse(struct table *table, char *text);
int table_load(struct table *table, const char *path);
void table_free(struct table *table);
const char *table_get(const struct table *table, size_t row, const char *column);
uint64_t table_number(const struct table *table, size_t row, const char *column);
const char *table_find(const struct table *table, const char *name);

#endif
