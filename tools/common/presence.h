/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The presence maps of a cache, <dir>/maps: which ranges are in each cache file.
 * cachefiles_od/core/mapfile.h has the format and the rules.
 */
#ifndef OD_TOOLS_PRESENCE_H
#define OD_TOOLS_PRESENCE_H

#include <sys/stat.h>

#include "core/mapfile.h"

/** MAP_NAME_SIZE - size of the name of a map, including its NUL */
#define MAP_NAME_SIZE	17
/** MAP_PATH_SIZE - size of the path of a cache file below <dir>/cache, including its NUL */
#define MAP_PATH_SIZE	(2 * OD_MAPFILE_STRING_MAX + sizeof("/@xx/"))

/**
 * struct presence - a map
 * @head: header
 * @runs: ranges that are present, @head.nr_runs of them
 */
struct presence {
	struct od_mapfile head;
	struct od_range *runs;
};

void presence_name(uint64_t ino, char name[static MAP_NAME_SIZE]);
int presence_read_head(int maps, const char *name, struct od_mapfile *head);
int presence_read(int maps, const char *name, struct presence *map);
int presence_write(int maps, struct presence *map);
void presence_free(struct presence *map);
uint64_t presence_bytes(const struct presence *map);
int presence_find_file(int cache, const struct od_mapfile *head, char path[static MAP_PATH_SIZE],
		       struct stat *st);
int presence_generation(int fd, uint32_t *generation);

#endif
