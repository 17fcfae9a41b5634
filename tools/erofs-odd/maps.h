/* SPDX-License-Identifier: GPL-2.0-only */
/* Removes map files of the cache that have no cache file. */
#ifndef ODD_MAPS_H
#define ODD_MAPS_H

int maps_sweep(const char *dir, unsigned int *removed);

#endif
