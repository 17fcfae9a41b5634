// SPDX-License-Identifier: GPL-2.0-only
#include "presence.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <linux/fs.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <unistd.h>

#include "core/key.h"

/** presence_name - name of the map of a cache file, by inode number */
void presence_name(uint64_t ino, char name[static MAP_NAME_SIZE])
{
	snprintf(name, MAP_NAME_SIZE, "%" PRIx64, ino);
}

void presence_free(struct presence *map)
{
	free(map->runs);
	map->runs = NULL;
}

/** presence_bytes - number of bytes that a map lists, without the padding at the end */
uint64_t presence_bytes(const struct presence *map)
{
	uint64_t bytes = 0, end;
	uint32_t i;

	for (i = 0; i < map->head.nr_runs; i++) {
		end = map->runs[i].end < map->head.size ? map->runs[i].end : map->head.size;
		if (end > map->runs[i].start)
			bytes += end - map->runs[i].start;
	}
	return bytes;
}

static uint64_t file_length(uint64_t size)
{
	return (size + 4095) & ~(uint64_t)4095;
}

static int read_exactly(int fd, void *buf, size_t len, uint64_t off)
{
	ssize_t n = pread(fd, buf, len, (off_t)off);

	if (n < 0)
		return -errno;
	return (size_t)n == len ? 0 : -EUCLEAN;
}

static int write_exactly(int fd, const void *buf, size_t len, uint64_t off)
{
	ssize_t n = pwrite(fd, buf, len, (off_t)off);

	if (n < 0)
		return -errno;
	return (size_t)n == len ? 0 : -EIO;
}

/* The runs of a valid header may have been overwritten since. */
static int read_runs(int fd, struct presence *map)
{
	const struct od_mapfile *head = &map->head;
	size_t bytes = (size_t)head->nr_runs * OD_MAPFILE_RUN;
	uint8_t *buf = malloc(bytes + 1);
	int err = -ENOMEM;

	map->runs = calloc((size_t)head->nr_runs + 1, sizeof(*map->runs));
	if (buf && map->runs)
		err = read_exactly(fd, buf, bytes, head->runs_off);
	if (!err && od_crc32c(~0U, buf, bytes) != head->runs_crc)
		err = -EUCLEAN;
	if (!err)
		err = od_mapfile_decode_runs(buf, head->nr_runs, file_length(head->size), 0,
					     map->runs);
	free(buf);
	if (err)
		presence_free(map);
	return err;
}

/* Reads the valid headers of a map, the newest first. Return: their number */
static int read_heads(int fd, struct od_mapfile heads[2])
{
	uint8_t buf[OD_MAPFILE_SLOT];
	struct od_mapfile older;
	int i, count = 0;

	for (i = 0; i < 2; i++)
		if (!read_exactly(fd, buf, sizeof(buf), (uint64_t)i * OD_MAPFILE_SLOT) &&
		    !od_mapfile_decode(buf, &heads[count]))
			count++;
	if (count == 2 && heads[1].seq > heads[0].seq) {
		older = heads[0];
		heads[0] = heads[1];
		heads[1] = older;
	}
	return count;
}

/* Return: an fd; -EUCLEAN if it is not a regular file; or another negative errno */
static int open_map(int maps, const char *name)
{
	int fd = openat(maps, name, O_RDONLY | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK | O_NOCTTY);
	struct stat st;

	if (fd < 0)
		return errno == ELOOP ? -EUCLEAN : -errno;
	if (!fstat(fd, &st) && S_ISREG(st.st_mode))
		return fd;
	close(fd);
	return -EUCLEAN;
}

/**
 * presence_read_head - read the header of a map
 * @maps: fd of the directory of maps
 * @name: name of the map
 * @head: set to its newest valid header; its runs are not checked
 *
 * Return: 0; -EUCLEAN if none is valid; or another negative errno
 */
int presence_read_head(int maps, const char *name, struct od_mapfile *head)
{
	struct od_mapfile heads[2];
	int fd = open_map(maps, name), count;

	if (fd < 0)
		return fd;
	count = read_heads(fd, heads);
	close(fd);
	if (!count)
		return -EUCLEAN;
	*head = heads[0];
	return 0;
}

/**
 * presence_read - read a map
 * @maps: fd of the directory of maps
 * @name: name of the map
 * @map: set to its newest valid version; free it
 *
 * Return: 0; -EUCLEAN if none is valid; or another negative errno
 */
int presence_read(int maps, const char *name, struct presence *map)
{
	struct od_mapfile heads[2];
	int fd = open_map(maps, name), count, i, err = -EUCLEAN;

	memset(map, 0, sizeof(*map));
	if (fd < 0)
		return fd;
	count = read_heads(fd, heads);
	for (i = 0; i < count && err == -EUCLEAN; i++) {
		map->head = heads[i];
		err = read_runs(fd, map);
	}
	close(fd);
	return err;
}

static int write_version(int fd, struct presence *map)
{
	struct od_mapfile *head = &map->head;
	size_t bytes = (size_t)head->nr_runs * OD_MAPFILE_RUN;
	uint8_t slot[OD_MAPFILE_SLOT], *buf = malloc(bytes + 1);
	int err;

	if (!buf)
		return -ENOMEM;
	od_mapfile_encode_runs(map->runs, head->nr_runs, buf);
	head->runs_off = od_mapfile_next_off(NULL, head->nr_runs);
	head->runs_crc = od_crc32c(~0U, buf, bytes);
	od_mapfile_encode(head, slot);
	err = write_exactly(fd, buf, bytes, head->runs_off);
	if (!err)
		err = write_exactly(fd, slot, sizeof(slot), (head->seq & 1) * OD_MAPFILE_SLOT);
	if (!err && fsync(fd))
		err = -errno;
	free(buf);
	return err;
}

/**
 * presence_write - write a map, replacing one of the same name
 * @maps: fd of the directory of maps, of a cache that is not bound
 * @map: its contents; the location of its runs is set
 *
 * Return: 0 once it is on the device; or a negative errno
 */
int presence_write(int maps, struct presence *map)
{
	char name[MAP_NAME_SIZE], tmp[MAP_NAME_SIZE + 4];
	int fd, err;

	presence_name(map->head.ino, name);
	snprintf(tmp, sizeof(tmp), "%s.new", name);
	fd = openat(maps, tmp, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC | O_NOFOLLOW, 0600);
	if (fd < 0)
		return -errno;
	err = write_version(fd, map);
	close(fd);
	if (!err && renameat(maps, tmp, maps, name))
		err = -errno;
	if (err)
		unlinkat(maps, tmp, 0);
	else if (fsync(maps))
		err = -errno;
	return err;
}

static int stat_file(int cache, const struct od_mapfile *head, const char *fanout,
		     char path[static MAP_PATH_SIZE], struct stat *st)
{
	snprintf(path, MAP_PATH_SIZE, "%s/%s/%s", head->volume, fanout, head->name);
	return fstatat(cache, path, st, AT_SYMLINK_NOFOLLOW) ? -errno : 0;
}

/* An unencoded name is a letter followed by the key. */
static void plain_fanout(const struct od_mapfile *head, char fanout[OD_FANOUT_LEN + 1])
{
	const uint8_t *volume = (const uint8_t *)head->volume + 1;
	const uint8_t *key = (const uint8_t *)head->name + 1;
	uint32_t hash = od_key_volume_hash(volume, strlen(head->volume) - 1);

	od_key_fanout_name(od_key_cookie_hash(key, strlen(head->name) - 1, hash), fanout);
}

/**
 * presence_find_file - find the cache file that a map names
 * @cache: fd of <dir>/cache
 * @head: header of the map
 * @path: set to the path of the file below @cache
 * @st: set by fstatat(2); the caller checks that the map describes this file
 *
 * Return: 0, -ENOENT or another negative errno
 */
int presence_find_file(int cache, const struct od_mapfile *head, char path[static MAP_PATH_SIZE],
		       struct stat *st)
{
	char fanout[OD_FANOUT_LEN + 1];
	uint32_t i;
	int err = -ENOENT;

	if (head->name[0] == 'D') {
		plain_fanout(head, fanout);
		return stat_file(cache, head, fanout, path, st);
	}
	for (i = 0; i < 256 && err == -ENOENT; i++) {
		od_key_fanout_name(i, fanout);
		err = stat_file(cache, head, fanout, path, st);
	}
	return err;
}

/**
 * presence_generation - read the inode generation of a file
 * @fd: the file
 * @generation: set to it
 *
 * Return: 0; -EOPNOTSUPP if its file system has none; or another negative errno
 */
int presence_generation(int fd, uint32_t *generation)
{
	/* The ioctl is declared with a long, and writes an int. */
	union {
		uint32_t generation;
		long room;
	} value = { .room = 0 };

	if (ioctl(fd, FS_IOC_GETVERSION, &value))
		return errno == ENOTTY || errno == EINVAL ? -EOPNOTSUPP : -errno;
	*generation = value.generation;
	return 0;
}
