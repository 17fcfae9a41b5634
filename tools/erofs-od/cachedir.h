/* SPDX-License-Identifier: GPL-2.0-only */
/* A cache directory: its cache files and their maps, and whether the module has it bound. */
#ifndef OD_CACHEDIR_H
#define OD_CACHEDIR_H

#include <stdbool.h>
#include <sys/stat.h>

#include "core/key.h"
#include "presence.h"

/** CACHEDIR_DEFAULT - the directory if no other is bound or given */
#define CACHEDIR_DEFAULT	"/var/cache/erofs-od"
/** CACHE_XATTR - on cache files and the directories of volumes */
#define CACHE_XATTR		"user.CacheFiles.cache"
/** CACHE_XATTR_SIZE - its size on a cache file, in bytes */
#define CACHE_XATTR_SIZE	18

/**
 * struct cachedir - an open cache directory
 * @path: its path
 * @proc: path of /proc
 * @root: fd of the directory
 * @cache: fd of <dir>/cache
 * @maps: fd of <dir>/maps, -1 if there is none
 */
struct cachedir {
	char *path;
	const char *proc;
	int root;
	int cache;
	int maps;
};

/**
 * struct object - location of a cache file
 * @volume: name of the volume's directory
 * @fanout: name of the directory in it
 * @name: name of the file
 * @blob: name of the blob
 * @dir: fd of the directory of the file
 * @st: from fstatat(2)
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
 * struct object_file - an open, valid cache file
 * @fd: for reading
 * @st: from fstat(2)
 * @size: size of the blob in bytes
 * @xattr: value of CACHE_XATTR
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
