// SPDX-License-Identifier: GPL-2.0-only
#include "maps.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdbool.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "presence.h"

/* A file that is not a valid map may just be being written, but not for this long. */
#define UNREADABLE_S	3600

static bool is_old(int maps, const char *name)
{
	struct stat st;

	return !fstatat(maps, name, &st, AT_SYMLINK_NOFOLLOW) && S_ISREG(st.st_mode) &&
	       time(NULL) - st.st_mtime > UNREADABLE_S;
}

/* Whether a map's cache file does not exist. False if in doubt. */
static bool is_orphan(int cache, const char *name, const struct od_mapfile *head)
{
	char path[MAP_PATH_SIZE], own[MAP_NAME_SIZE];
	struct stat st;
	int err;

	presence_name(head->ino, own);
	if (strcmp(name, own))
		return true;
	err = presence_find_file(cache, head, path, &st);
	return err ? err == -ENOENT : (uint64_t)st.st_ino != head->ino;
}

static bool is_useless(int cache, int maps, const char *name)
{
	struct od_mapfile head;
	int err = presence_read_head(maps, name, &head);

	if (err)
		return err == -EUCLEAN && is_old(maps, name);
	return is_orphan(cache, name, &head);
}

static int sweep(int cache, DIR *list, unsigned int *removed)
{
	int maps = dirfd(list);
	struct dirent *entry;

	while ((errno = 0, entry = readdir(list)) != NULL) {
		if (entry->d_name[0] == '.' || !is_useless(cache, maps, entry->d_name))
			continue;
		if (!unlinkat(maps, entry->d_name, 0))
			++*removed;
		else if (errno != ENOENT)
			return -errno;
	}
	return -errno;
}

/**
 * maps_sweep - remove the maps of cache files that no longer exist
 * @dir: the cache's directory
 * @removed: gets their number
 *
 * Also removes those of a file whose name now belongs to another one, and files older than an
 * hour that are not valid maps.
 *
 * Return: 0; -ENOENT if the cache has no maps; or a negative errno
 */
int maps_sweep(const char *dir, unsigned int *removed)
{
	int root = open(dir, O_PATH | O_DIRECTORY | O_CLOEXEC);
	int cache = root < 0 ? -1 : openat(root, "cache", O_PATH | O_DIRECTORY | O_CLOEXEC);
	int maps = cache < 0 ? -1 : openat(root, "maps", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	DIR *list = maps < 0 ? NULL : fdopendir(maps);
	int err = list ? 0 : -errno;

	*removed = 0;
	if (list) {
		err = sweep(cache, list, removed);
		closedir(list);
	} else if (maps >= 0) {
		close(maps);
	}
	if (cache >= 0)
		close(cache);
	if (root >= 0)
		close(root);
	return err;
}
