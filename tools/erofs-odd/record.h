/* SPDX-License-Identifier: GPL-2.0-only */
/* What the cache has recorded about a blob: size, version, and whether it is complete. */
#ifndef ODD_RECORD_H
#define ODD_RECORD_H

#include <stdbool.h>
#include <stdint.h>

#include "presence.h"
#include "version.h"

/**
 * struct cache_dirs - directories with records
 * @cache: fd of the cache's directory "cache", or -1
 * @maps: fd of its directory "maps", or -1
 */
struct cache_dirs {
	int cache;
	int maps;
};

/**
 * struct record - record of a blob
 * @size: in bytes
 * @whole: all of it is in the cache
 * @validator: its version as reported to the kernel, or ""
 */
struct record {
	uint64_t size;
	bool whole;
	char validator[VALIDATOR_MAX + 1];
};

int cache_dirs_open(struct cache_dirs *dirs, const char *dir);
void cache_dirs_close(struct cache_dirs *dirs);
int record_map(const struct cache_dirs *dirs, const char *volume, const char *name,
	       struct presence *map);
int record_read(const struct cache_dirs *dirs, const char *volume, const char *name,
		struct record *record);

#endif
