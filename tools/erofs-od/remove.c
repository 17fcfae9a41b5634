// SPDX-License-Identifier: GPL-2.0-only
#include "remove.h"

#include <errno.h>
#include <string.h>
#include <unistd.h>

#include "control.h"

static int remove_file(const struct cachedir *dir, const struct object *object, bool bound)
{
	int err;

	if (bound) {
		err = control_send(dir->proc, object->dir, "cull", object->name);
		/* The cache may have been unbound in the meantime. */
		if (err != -ENOTCONN || cachedir_is_bound(dir))
			return err == -ESTALE ? -ENOENT : err;
	}
	return unlinkat(object->dir, object->name, 0) ? -errno : 0;
}

/* Whether it is still the map that existed before its file was removed. */
static bool is_same(const struct od_mapfile *a, const struct od_mapfile *b)
{
	return a->ino == b->ino && a->generation == b->generation &&
	       !strcmp(a->volume, b->volume) && !strcmp(a->name, b->name);
}

/* A new file may have reused the inode number, and have its own map. */
static void remove_map(const struct cachedir *dir, const char *name, const struct od_mapfile *was)
{
	struct od_mapfile now;

	if (!presence_read_head(dir->maps, name, &now) && is_same(&now, was))
		unlinkat(dir->maps, name, 0);
}

/**
 * object_remove - remove a cache file that is not in use, and its map
 * @dir: the cache
 * @object: the file
 * @bound: the module has the cache bound, and removes the file unless it is in use
 *
 * Return: 0; -EBUSY if it is in use; -ENOENT if it does not exist; or another negative errno
 */
int object_remove(const struct cachedir *dir, const struct object *object, bool bound)
{
	char name[MAP_NAME_SIZE];
	struct od_mapfile head;
	int err, unknown = -ENOENT;

	presence_name(object->st.st_ino, name);
	if (dir->maps >= 0)
		unknown = presence_read_head(dir->maps, name, &head);
	err = remove_file(dir, object, bound);
	if (!err && !unknown)
		remove_map(dir, name, &head);
	return err;
}
