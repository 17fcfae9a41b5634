// SPDX-License-Identifier: GPL-2.0-only
#include "record.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "core/key.h"
#include "presence.h"

/**
 * cache_dirs_open - open the directories with the records of a cache
 * @dirs: set; on failure, as if there were no records
 * @dir: the cache's directory, bound
 *
 * Return: 0 or a negative errno
 */
int cache_dirs_open(struct cache_dirs *dirs, const char *dir)
{
	int root = open(dir, O_PATH | O_DIRECTORY | O_CLOEXEC);
	int err = 0;

	dirs->cache = -1;
	dirs->maps = -1;
	if (root < 0)
		return -errno;
	dirs->cache = openat(root, "cache", O_PATH | O_DIRECTORY | O_CLOEXEC);
	if (dirs->cache >= 0)
		dirs->maps = openat(root, "maps", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (dirs->maps < 0) {
		err = -errno;
		cache_dirs_close(dirs);
	}
	close(root);
	return err;
}

void cache_dirs_close(struct cache_dirs *dirs)
{
	if (dirs->cache >= 0)
		close(dirs->cache);
	if (dirs->maps >= 0)
		close(dirs->maps);
	dirs->cache = -1;
	dirs->maps = -1;
}

static int file_path(const char *volume, const char *name, struct od_mapfile *want,
		     char path[static MAP_PATH_SIZE])
{
	const uint8_t *key = (const uint8_t *)name;
	char fanout[OD_FANOUT_LEN + 1];
	uint32_t hash;

	if (od_key_volume_name(volume, want->volume) < 0 ||
	    od_key_file_name(key, strlen(name), want->name) < 0)
		return -EINVAL;
	hash = od_key_volume_hash((const uint8_t *)volume, strlen(volume));
	od_key_fanout_name(od_key_cookie_hash(key, strlen(name), hash), fanout);
	snprintf(path, MAP_PATH_SIZE, "%s/%s/%s", want->volume, fanout, want->name);
	return 0;
}

static bool is_about(const struct od_mapfile *head, const struct od_mapfile *want,
		     const struct stat *st)
{
	return head->ino == st->st_ino && !strcmp(head->volume, want->volume) &&
	       !strcmp(head->name, want->name);
}

/**
 * record_map - read the map of a blob, as of the last commit
 * @dirs: the cache
 * @volume: volume key
 * @name: checked blob name
 * @map: set; free it after success
 *
 * The kernel itself checks that a map and its cache file belong together, and otherwise
 * discards both.
 *
 * Return: 0; -ENOENT if there is none; or a negative errno
 */
int record_map(const struct cache_dirs *dirs, const char *volume, const char *name,
	       struct presence *map)
{
	char path[MAP_PATH_SIZE], map_name[MAP_NAME_SIZE];
	struct od_mapfile want;
	struct stat st;
	int err;

	if (dirs->maps < 0)
		return -ENOENT;
	err = file_path(volume, name, &want, path);
	if (err)
		return err;
	if (fstatat(dirs->cache, path, &st, AT_SYMLINK_NOFOLLOW))
		return -errno;
	presence_name(st.st_ino, map_name);
	err = presence_read(dirs->maps, map_name, map);
	if (!err && !is_about(&map->head, &want, &st)) {
		presence_free(map);
		err = -ENOENT;
	}
	return err;
}

/**
 * record_read - look up a blob's record
 * @dirs: the cache
 * @volume: volume key
 * @name: checked blob name
 * @record: set
 *
 * Missing data is then fetched in this version.
 *
 * Return: 0; -ENOENT if there is none; or a negative errno
 */
int record_read(const struct cache_dirs *dirs, const char *volume, const char *name,
		struct record *record)
{
	struct presence map;
	int err = record_map(dirs, volume, name, &map);

	if (err)
		return err;
	record->size = map.head.size;
	record->whole = presence_bytes(&map) == map.head.size;
	strcpy(record->validator, map.head.validator);
	presence_free(&map);
	return 0;
}
