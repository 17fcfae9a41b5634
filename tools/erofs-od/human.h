/* SPDX-License-Identifier: GPL-2.0-only */
/* Human-readable numbers and columns. */
#ifndef OD_HUMAN_H
#define OD_HUMAN_H

#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

/** HUMAN_SIZE - size of a buffer for any of these strings */
#define HUMAN_SIZE	32

char *human_bytes(uint64_t bytes, char buf[static HUMAN_SIZE]);
char *human_percent(uint64_t part, uint64_t whole, char buf[static HUMAN_SIZE]);
char *human_age(uint64_t ms, char buf[static HUMAN_SIZE]);

/**
 * struct grid - rows of text in aligned columns
 * @columns: number of columns
 * @align: alignment, one letter per column: 'l' or 'r'
 * @cells: row by row
 * @count: number of @cells
 */
struct grid {
	size_t columns;
	const char *align;
	char **cells;
	size_t count;
};

void grid_add(struct grid *grid, const char *text);
void grid_name(struct grid *grid, const char *name);
void grid_print(const struct grid *grid, FILE *out);
void grid_free(struct grid *grid);

#endif
