/* SPDX-License-Identifier: GPL-2.0-only */
/* The map files of the cache: those without a cache file are removed. */
#ifndef ODD_MAPS_H
#define ODD_MAPS_H

int maps_sweep(const char *dir, unsigned int *removed);

#endif
