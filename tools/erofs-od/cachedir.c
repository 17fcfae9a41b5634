// SPDX-License-Identifier: GPL-2.0-only
#include "cachedir.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "keyname.h"
#include "log.h"
#include "table.h"
#include "text.h"

/* The directory that the module has bound, or NULL; free it. */
static char *bound_path(const char *proc)
{
	char *path = text_format("%s/fs/cachefiles_od/cache", proc);
	char *bound = NULL;
	struct table cache;

	if (!table_load(&cache, path))
		bound = text_copy(table_find(&cache, "dir"));
	table_free(&cache);
	free(path);
	return bound;
}

static int open_dir(int at, const char *name)
{
	return openat(at, name, O_RDONLY | O_DIRECTORY | O_CLOEXEC | O_NOFOLLOW);
}

/**
 * cachedir_open - open a cache directory
 * @dir: filled in; call cachedir_close() even after an error
 * @given: path, or NULL for the bound directory, or else the default
 * @proc: path of /proc
 *
 * Return: 0 or a negative errno, which was logged
 */
int cachedir_open(struct cachedir *dir, const char *given, const char *proc)
{
	int err;

	dir->proc = proc;
	dir->cache = -1;
	dir->maps = -1;
	dir->path = given ? text_copy(given) : bound_path(proc);
	if (!dir->path)
		dir->path = text_copy(CACHEDIR_DEFAULT);
	dir->root = open(dir->path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (dir->root >= 0)
		dir->cache = open_dir(dir->root, "cache");
	if (dir->cache < 0) {
		err = -errno;
		log_err("%s: not a cache directory: %s", dir->path, strerror(-err));
		return err;
	}
	dir->maps = open_dir(dir->root, "maps");
	if (dir->maps < 0 && errno != ENOENT) {
		err = -errno;
		log_err("%s/maps: %s", dir->path, strerror(-err));
		return err;
	}
	return 0;
}

void cachedir_close(struct cachedir *dir)
{
	if (dir->maps >= 0)
		close(dir->maps);
	if (dir->cache >= 0)
		close(dir->cache);
	if (dir->root >= 0)
		close(dir->root);
	free(dir->path);
}

/** cachedir_is_bound - whether the module has bound it, with or without a daemon */
bool cachedir_is_bound(const struct cachedir *dir)
{
	char *bound = bound_path(dir->proc);
	struct stat a, b;
	bool same;

	same = bound && !stat(bound, &a) && !fstat(dir->root, &b) && a.st_dev == b.st_dev &&
	       a.st_ino == b.st_ino;
	free(bound);
	return same;
}

static int compare_names(const void *a, const void *b)
{
	return strcmp(*(char *const *)a, *(char *const *)b);
}

static void free_names(char **names)
{
	char **name;

	for (name = names; name && *name; name++)
		free(*name);
	free(names);
}

/*
 * All names in a directory, sorted, with a NULL at the end. Read first, since a visit may
 * remove files.
 */
static int list_dir(int fd, char ***names)
{
	int again = open_dir(fd, ".");
	DIR *list = again < 0 ? NULL : fdopendir(again);
	struct dirent *entry;
	size_t count = 0;
	int err;

	*names = NULL;
	if (!list) {
		err = -errno;
		if (again >= 0)
			close(again);
		return err;
	}
	while ((errno = 0, entry = readdir(list)) != NULL) {
		if (entry->d_name[0] == '.')
			continue;
		*names = text_array(*names, count);
		(*names)[count++] = text_copy(entry->d_name);
	}
	err = -errno;
	closedir(list);
	*names = text_array(*names, count);
	(*names)[count] = NULL;
	qsort(*names, count, sizeof(**names), compare_names);
	return err;
}

struct walk {
	const struct cachedir *dir;
	int (*visit)(const struct object *object, void *arg);
	void *arg;
	struct object object;
};

static int visit_file(struct walk *walk, int at, const char *name)
{
	struct object *object = &walk->object;

	object->dir = at;
	object->name = name;
	if (fstatat(at, name, &object->st, AT_SYMLINK_NOFOLLOW))
		return errno == ENOENT ? 0 : -errno;
	if (!S_ISREG(object->st.st_mode) || key_of_file_name(name, object->blob))
		return 0;
	return walk->visit(object, walk->arg);
}

static int visit_fanout(struct walk *walk, int at, const char *name)
{
	(void)at;
	walk->object.fanout = name;
	return name[0] == '@';
}

static int visit_volume(struct walk *walk, int at, const char *name)
{
	(void)at;
	walk->object.volume = name;
	return name[0] == 'I';
}

/* A visit above the last level returns 1 for a directory to descend into. */
static int walk_dir(struct walk *walk, int at, size_t depth)
{
	static int (*const visits[])(struct walk *walk, int at, const char *name) = {
		visit_volume, visit_fanout, visit_file,
	};
	char **names, **name;
	int below, err = list_dir(at, &names);

	for (name = names; !err && *name; name++) {
		err = visits[depth](walk, at, *name);
		if (err != 1 || depth == 2)
			continue;
		below = open_dir(at, *name);
		err = 0;
		if (below >= 0) {
			err = walk_dir(walk, below, depth + 1);
			close(below);
		} else if (errno != ENOENT && errno != ENOTDIR && errno != ELOOP) {
			err = -errno;
		}
	}
	free_names(names);
	return err;
}

/**
 * cachedir_each - visit all cache files, in the order of their names
 * @dir: the cache
 * @visit: called for each, may remove it; anything but 0 stops
 * @arg: passed to @visit
 *
 * Return: the result of the last visit, or a negative errno, which was logged
 */
int cachedir_each(const struct cachedir *dir, int (*visit)(const struct object *object, void *arg),
		  void *arg)
{
	struct walk walk = { .dir = dir, .visit = visit, .arg = arg };
	int err = walk_dir(&walk, dir->cache, 0);

	if (err < 0)
		log_err("%s/cache: %s", dir->path, strerror(-err));
	return err;
}
