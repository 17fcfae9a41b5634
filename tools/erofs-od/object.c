// SPDX-License-Identifier: GPL-2.0-only
#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/xattr.h>
#include <unistd.h>

#include "cachedir.h"
#include "control.h"

/* Offsets and values in CACHE_XATTR of a file. */
#define XATTR_TYPE		16
#define XATTR_TYPE_DATA		1
#define XATTR_CONTENT		17
#define XATTR_CONTENT_CLEAN	0

/** object_length - size of the cache file of a blob of @size bytes */
uint64_t object_length(uint64_t size)
{
	return (size + 4095) & ~(uint64_t)4095;
}

/* Applies the module's own rules: it discards files that break them. */
static int check_xattr(struct object_file *file)
{
	uint8_t value[CACHE_XATTR_SIZE + 1];
	ssize_t n = fgetxattr(file->fd, CACHE_XATTR, value, sizeof(value));

	if (n < 0)
		return errno == ENODATA || errno == ERANGE ? -EUCLEAN : -errno;
	if (n != CACHE_XATTR_SIZE || get_unaligned_be64(value + 8) ||
	    value[XATTR_TYPE] != XATTR_TYPE_DATA ||
	    value[XATTR_CONTENT] != XATTR_CONTENT_CLEAN)
		return -EUCLEAN;
	file->size = get_unaligned_be64(value);
	memcpy(file->xattr, value, CACHE_XATTR_SIZE);
	if (file->size > (uint64_t)INT64_MAX - 0xffff ||
	    (uint64_t)file->st.st_size != object_length(file->size))
		return -EUCLEAN;
	return 0;
}

/**
 * object_commit - make the module write the map of a cache file
 * @dir: the cache, which the module has bound
 * @object: the file
 *
 * Errors are ignored: the map is then that of the last commit.
 */
void object_commit(const struct cachedir *dir, const struct object *object)
{
	control_send(dir->proc, object->dir, "commit", object->name);
}

/**
 * object_open - open a cache file
 * @object: its location
 * @file: filled in; on success close @file->fd
 *
 * Return: 0; -EUCLEAN if it is not a valid cache file; or another negative errno
 */
int object_open(const struct object *object, struct object_file *file)
{
	int err;

	file->fd = openat(object->dir, object->name,
			  O_RDONLY | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK | O_NOCTTY);
	if (file->fd < 0)
		return -errno;
	if (fstat(file->fd, &file->st))
		err = -errno;
	else
		err = S_ISREG(file->st.st_mode) ? check_xattr(file) : -EUCLEAN;
	if (err)
		close(file->fd);
	return err;
}

static bool is_about(const struct od_mapfile *head, const struct object *object,
		     const struct object_file *file)
{
	uint32_t generation;
	int err;

	if (head->ino != (uint64_t)file->st.st_ino || head->size != file->size ||
	    strcmp(head->volume, object->volume) || strcmp(head->name, object->name))
		return false;
	err = presence_generation(file->fd, &generation);
	if (err != -EOPNOTSUPP && (err || generation != head->generation))
		return false;
	return !(head->flags & OD_MAPFILE_CLOSED) ||
	       (head->mtime_sec == file->st.st_mtim.tv_sec &&
		head->mtime_nsec == (uint32_t)file->st.st_mtim.tv_nsec);
}

/**
 * object_map - read the map of a cache file
 * @dir: the cache
 * @object: location of the file
 * @file: the open file
 * @map: filled in; free it
 *
 * Return: 0; -ENOENT if there is no map; -EUCLEAN if it is corrupt; -ESTALE if it describes
 * another file, or this one before it was modified; or another negative errno
 */
int object_map(const struct cachedir *dir, const struct object *object,
	       const struct object_file *file, struct presence *map)
{
	char name[MAP_NAME_SIZE];
	int err;

	if (dir->maps < 0)
		return -ENOENT;
	presence_name(file->st.st_ino, name);
	err = presence_read(dir->maps, name, map);
	if (!err && !is_about(&map->head, object, file)) {
		presence_free(map);
		err = -ESTALE;
	}
	return err;
}
