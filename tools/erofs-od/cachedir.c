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

static int open_folder(int at, const char *name)
{
	return openat(at, name, O_RDONLY | O_DIRECTORY | O_CLOEXEC | O_NOFOLLOW);
}

/**
 * cachedir_open - open the directory of a cache
 * @dir: it; close it also after an error
 * @given: path, or NULL for the one that is bound, or else the default
 * @proc: where /proc is
 *
 * Return: 0 or a negative errno, and the reason was logged
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
		dir->cache = open_folder(dir->root, "cache");
	if (dir->cache < 0) {
		err = -errno;
		log_err("%s: not the directory of a cache: %s", dir->path, strerror(-err));
		return err;
	}
	dir->maps = open_folder(dir->root, "maps");
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

/** cachedir_is_bound - does the module have it, with a daemon or without one? */
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

/* All names in a directory, sorted, with a NULL at the end: what is visited may be removed. */
static int list_folder(int fd, char ***names)
{
	int again = open_folder(fd, ".");
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

static int visit_file(struct walk *walk, int folder, const char *name)
{
	struct object *object = &walk->object;

	object->dir = folder;
	object->name = name;
	if (fstatat(folder, name, &object->st, AT_SYMLINK_NOFOLLOW))
		return errno == ENOENT ? 0 : -errno;
	if (!S_ISREG(object->st.st_mode) || key_of_file_name(name, object->blob))
		return 0;
	return walk->visit(object, walk->arg);
}

static int visit_fanout(struct walk *walk, int folder, const char *name)
{
	(void)folder;
	walk->object.fanout = name;
	return name[0] == '@';
}

static int visit_volume(struct walk *walk, int folder, const char *name)
{
	(void)folder;
	walk->object.volume = name;
	return name[0] == 'I';
}

/* What the visit of a file that is not the last level says with 1 is gone into. */
static int walk_folder(struct walk *walk, int folder, size_t depth)
{
	static int (*const visits[])(struct walk *walk, int folder, const char *name) = {
		visit_volume, visit_fanout, visit_file,
	};
	char **names, **name;
	int below, err = list_folder(folder, &names);

	for (name = names; !err && *name; name++) {
		err = visits[depth](walk, folder, *name);
		if (err != 1 || depth == 2)
			continue;
		below = open_folder(folder, *name);
		err = 0;
		if (below >= 0) {
			err = walk_folder(walk, below, depth + 1);
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
 * @visit: called for each; anything but 0 ends it. It may remove the file
 * @arg: for it
 *
 * Return: what the last visit has, or a negative errno, which was logged
 */
int cachedir_each(const struct cachedir *dir, int (*visit)(const struct object *object, void *arg),
		  void *arg)
{
	struct walk walk = { .dir = dir, .visit = visit, .arg = arg };
	int err = walk_folder(&walk, dir->cache, 0);

	if (err < 0)
		log_err("%s/cache: %s", dir->path, strerror(-err));
	return err;
}
