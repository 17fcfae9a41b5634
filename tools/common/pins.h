/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Pins: blobs that are never culled. <dir>/pins has an empty file for each, under
 * the name that the blob's cache files have, whatever their domain.
 */
#ifndef OD_TOOLS_PINS_H
#define OD_TOOLS_PINS_H

#include <stdbool.h>

int pins_open(int root, bool make);
bool pins_has(int pins, const char *file);
int pins_add(int pins, const char *blob);
int pins_remove(int pins, const char *blob);
int pins_each(int pins, int (*visit)(const char *blob, void *arg), void *arg);

#endif
