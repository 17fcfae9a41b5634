/* SPDX-License-Identifier: GPL-2.0-only */
/* The directory of a cache: its cache files, their maps, and what the module says of it. */
#ifndef OD_CACHEDIR_H
#define OD_CACHEDIR_H

#include <stdbool.h>
#include <sys/stat.h>

#include "core/key.h"
#include "presence.h"

/** CACHEDIR_DEFAULT - the directory, unless another one is bound */
#define CACHEDIR_DEFAULT	"/var/cache/erofs-od"
/** CACHE_XATTR - what marks cache files and the directories of volumes */
#define CACHE_XATTR		"user.CacheFiles.cache"
/** CACHE_XATTR_SIZE - bytes of it on a cache file */
#define CACHE_XATTR_SIZE	18

/**
 * struct cachedir - the directory of a cache, open
 * @path: of it
 * @proc: where /proc is
 * @root: it
 * @cache: its directory of volumes
 * @maps: its directory of maps, -1 if there is none
 */
struct cachedir {
	char *path;
	const char *proc;
	int root;
	int cache;
	int maps;
};

/**
 * struct object - a cache file, by its place
 * @volume: name of the volume's directory
 * @fanout: and of that in it
 * @name: name of the file
 * @blob: name of the blob
 * @dir: directory that the file is in
 * @st: what it is
 */
struct object {
	const char *volume;
	const char *fanout;
	const char *name;
	char blob[OD_KEY_MAX + 1];
	int dir;
	struct stat st;
};

/**
 * struct object_file - a cache file that is one, open
 * @fd: for reading
 * @st: what it is
 * @size: of the blob
 * @xattr: its mark
 */
struct object_file {
	int fd;
	struct stat st;
	uint64_t size;
	uint8_t xattr[CACHE_XATTR_SIZE];
};

int cachedir_open(struct cachedir *dir, const char *given, const char *proc);
void cachedir_close(struct cachedir *dir);
bool cachedir_is_bound(const struct cachedir *dir);
int cachedir_each(const struct cachedir *dir, int (*visit)(const struct object *object, void *arg),
		  void *arg);

uint64_t object_length(uint64_t size);
void object_commit(const struct cachedir *dir, const struct object *object);
int object_open(const struct object *object, struct object_file *file);
int object_map(const struct cachedir *dir, const struct object *object,
	       const struct object_file *file, struct presence *map);

#endif
