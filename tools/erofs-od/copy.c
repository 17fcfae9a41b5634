// SPDX-License-Identifier: GPL-2.0-only
#include "copy.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/xattr.h>
#include <unistd.h>

#include "scan.h"

#define PIECE	(256U << 10)

/**
 * struct copy - one file being copied
 * @from: fd of the file
 * @to: fd of the copy
 * @buf: %PIECE bytes
 * @runs: ranges that have been copied
 */
struct copy {
	int from;
	int to;
	char *buf;
	struct od_extents runs;
};

static int copy_piece(const struct copy *copy, uint64_t off, size_t len)
{
	ssize_t n = pread(copy->from, copy->buf, len, (off_t)off);

	if (n < 0)
		return -errno;
	if ((size_t)n != len)
		return -EIO;
	n = pwrite(copy->to, copy->buf, len, (off_t)off);
	if (n < 0)
		return -errno;
	return (size_t)n == len ? 0 : -EIO;
}

static int copy_stretch(uint64_t from, uint64_t to, void *arg)
{
	struct copy *copy = arg;
	uint64_t off = from;
	size_t len;
	int err = 0;

	for (; !err && off < to; off += len) {
		len = to - off < PIECE ? (size_t)(to - off) : PIECE;
		err = copy_piece(copy, off, len);
	}
	return err ? err : scan_add(&copy->runs, from, to);
}

/* Copies what both the map and the file have. */
static int copy_data(struct copy *copy, const struct presence *map)
{
	uint32_t i;
	int err = 0;

	for (i = 0; !err && i < map->head.nr_runs; i++)
		err = scan_data(copy->from, map->runs[i].start, map->runs[i].end, copy_stretch,
				copy);
	return err;
}

/* Removes what is not in the map. */
static int keep_known(struct od_extents *runs, const struct presence *map)
{
	uint64_t start = 0;
	uint32_t i;
	int err = 0;

	for (i = 0; !err && i < map->head.nr_runs; i++) {
		err = scan_remove(runs, start, map->runs[i].start);
		start = map->runs[i].end;
	}
	return err ? err : scan_remove(runs, start, UINT64_MAX);
}

/* The module may have found during the copy that data was lost. */
static int check_again(const struct cachedir *dir, const struct object *object,
		       const struct object_file *file, struct copy *copy)
{
	struct object_file now = *file;
	struct presence map;
	int err;

	if (fstat(file->fd, &now.st))
		return -errno;
	err = object_map(dir, object, &now, &map);
	if (err)
		return err;
	err = keep_known(&copy->runs, &map);
	presence_free(&map);
	return err;
}

static int mark_copy(const struct object_file *file, struct copy *copy)
{
	uint64_t length = object_length(file->size);

	/* The padding after the end of the blob is always present. */
	if (file->size < length && scan_add(&copy->runs, file->size, length))
		return -ENOMEM;
	if (copy->runs.nr > OD_MAPFILE_RUNS_MAX)
		return -EFBIG;
	if (fsetxattr(copy->to, CACHE_XATTR, file->xattr, CACHE_XATTR_SIZE, 0) || fsync(copy->to))
		return -errno;
	return 0;
}

/* @map becomes the map of the copy; the caller frees it. */
static int write_map(const struct cachedir *to, struct copy *copy, struct presence *map)
{
	struct stat st;
	int err = presence_generation(copy->to, &map->head.generation);

	if (err)
		return err;
	if (fstat(copy->to, &st))
		return -errno;
	presence_free(map);
	map->runs = copy->runs.e;
	map->head.nr_runs = (uint32_t)copy->runs.nr;
	memset(&copy->runs, 0, sizeof(copy->runs));
	map->head.seq = 1;
	map->head.ino = st.st_ino;
	map->head.flags = OD_MAPFILE_CLOSED;
	map->head.mtime_sec = st.st_mtim.tv_sec;
	map->head.mtime_nsec = (uint32_t)st.st_mtim.tv_nsec;
	return presence_write(to->maps, map);
}

static int fill_copy(const struct cachedir *from, const struct object *object,
		     const struct object_file *file, struct copy *copy, struct presence *map)
{
	int err = 0;

	copy->buf = malloc(PIECE);
	if (!copy->buf)
		return -ENOMEM;
	if (ftruncate(copy->to, (off_t)object_length(file->size)))
		err = -errno;
	if (!err)
		err = copy_data(copy, map);
	if (!err)
		err = check_again(from, object, file, copy);
	if (!err)
		err = mark_copy(file, copy);
	free(copy->buf);
	return err;
}

/**
 * copy_object - copy the part of a cache file that its map lists
 * @from: the cache
 * @to: the cache of the copy, which must not be bound
 * @dir: fd of the directory of the copy
 * @object: location of the file
 * @file: the open file
 * @map: its map; on success, that of the copy
 *
 * Return: 0 once everything but the entry in @dir is on the device; or a negative errno,
 * without a copy
 */
int copy_object(const struct cachedir *from, const struct cachedir *to, int dir,
		const struct object *object, const struct object_file *file, struct presence *map)
{
	struct copy copy = { .from = file->fd };
	int err;

	copy.to = openat(dir, object->name, O_RDWR | O_CREAT | O_EXCL | O_CLOEXEC | O_NOFOLLOW,
			 0600);
	if (copy.to < 0)
		return -errno;
	err = fill_copy(from, object, file, &copy, map);
	if (!err)
		err = write_map(to, &copy, map);
	free(copy.runs.e);
	close(copy.to);
	if (err)
		unlinkat(dir, object->name, 0);
	return err;
}
