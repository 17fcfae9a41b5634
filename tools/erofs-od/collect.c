// SPDX-License-Identifier: GPL-2.0-only
#include <errno.h>
#include <fcntl.h>
#include <libmount.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/sysmacros.h>
#include <unistd.h>

#include "pins.h"
#include "status.h"
#include "text.h"

static bool same_blob(const struct table *a, size_t i, const struct table *b, size_t j)
{
	const char *one = table_get(a, i, "cache"), *other = table_get(b, j, "cache");

	/* An older module has one cache and does not name it. */
	return !strcmp(table_get(a, i, "blob"), table_get(b, j, "blob")) &&
	       !strcmp(table_get(a, i, "volume"), table_get(b, j, "volume")) &&
	       (!*one || !*other || !strcmp(one, other));
}

/* Grows an array for one more element; NULL if out of memory. */
static void *grown(void *array, size_t count, size_t size)
{
	return reallocarray(array, count + 1, size);
}

static struct mounted *find_mount(struct status *status, const char *dev)
{
	size_t i;

	for (i = 0; i < status->mount_count; i++)
		if (!strcmp(status->mounts[i].dev, dev))
			return &status->mounts[i];
	return NULL;
}

static struct mounted *add_mount(struct status *status, size_t row)
{
	struct mounted *mounts, *mounted;

	mounts = grown(status->mounts, status->mount_count, sizeof(*mounts));
	if (!mounts)
		return NULL;
	status->mounts = mounts;
	mounted = &mounts[status->mount_count++];
	memset(mounted, 0, sizeof(*mounted));
	mounted->dev = table_get(&status->uses, row, "dev");
	mounted->fsid = table_get(&status->uses, row, "fsid");
	mounted->domain = table_get(&status->uses, row, "domain");
	return mounted;
}

static void find_blob(const struct status *status, struct blob_use *use)
{
	for (use->row = 0; use->row < status->blobs.rows; use->row++) {
		if (same_blob(&status->blobs, use->row, &status->uses, use->mount_row)) {
			use->found = true;
			return;
		}
	}
}

static uint64_t oldest_request(const struct status *status, const struct blob_use *use)
{
	uint64_t age, oldest = 0;
	size_t i;

	for (i = 0; i < status->requests.rows; i++) {
		if (!same_blob(&status->requests, i, &status->uses, use->mount_row))
			continue;
		age = table_number(&status->requests, i, "age_ms");
		if (age > oldest)
			oldest = age;
	}
	return oldest;
}

static int add_use(struct status *status, size_t row)
{
	struct mounted *mounted = find_mount(status, table_get(&status->uses, row, "dev"));
	struct blob_use *blobs, *use;
	uint64_t oldest;

	if (!mounted)
		mounted = add_mount(status, row);
	if (!mounted)
		return -ENOMEM;
	blobs = grown(mounted->blobs, mounted->blob_count, sizeof(*blobs));
	if (!blobs)
		return -ENOMEM;
	mounted->blobs = blobs;
	use = &blobs[mounted->blob_count++];
	memset(use, 0, sizeof(*use));
	use->mount_row = row;
	oldest = oldest_request(status, use);
	if (oldest > mounted->oldest_ms)
		mounted->oldest_ms = oldest;
	find_blob(status, use);
	if (!use->found)
		return 0;
	mounted->size += table_number(&status->blobs, use->row, "size");
	mounted->present += table_number(&status->blobs, use->row, "present");
	mounted->waiting += table_number(&status->blobs, use->row, "waiting");
	return 0;
}

static int add_target(struct mounted *mounted, struct libmnt_fs *fs)
{
	const char *type = mnt_fs_get_fstype(fs);
	char **targets;

	targets = grown(mounted->targets, mounted->target_count, sizeof(*targets));
	if (!targets)
		return -ENOMEM;
	mounted->targets = targets;
	targets[mounted->target_count] = strdup(mnt_fs_get_target(fs));
	if (!mounted->type)
		mounted->type = strdup(type ? type : "-");
	if (!mounted->type || !targets[mounted->target_count++])
		return -ENOMEM;
	return 0;
}

static int add_targets(struct status *status, struct libmnt_table *table)
{
	struct libmnt_iter *iter = mnt_new_iter(MNT_ITER_FORWARD);
	struct mounted *mounted;
	struct libmnt_fs *fs;
	char dev[32];
	int err = iter ? 0 : -ENOMEM;

	while (!err && !mnt_table_next_fs(table, iter, &fs)) {
		dev_t devno = mnt_fs_get_devno(fs);

		snprintf(dev, sizeof(dev), "%u:%u", major(devno), minor(devno));
		mounted = find_mount(status, dev);
		if (mounted)
			err = add_target(mounted, fs);
	}
	mnt_free_iter(iter);
	return err;
}

static int load_targets(struct status *status, const char *path)
{
	struct libmnt_table *table = mnt_new_table_from_file(path);
	int err;

	if (!table)
		return -ENOENT;
	err = add_targets(status, table);
	mnt_unref_table(table);
	return err;
}

static int load_file(struct table *table, const char *proc, const char *name, const char **missing)
{
	char path[4096];
	int err;

	snprintf(path, sizeof(path), "%s/%s", proc, name);
	err = table_load(table, path);
	if (err)
		*missing = name;
	return err;
}

static int add_pin(const char *blob, void *arg)
{
	struct pins *pins = arg;

	pins->names = text_array(pins->names, pins->count);
	pins->names[pins->count++] = text_copy(blob);
	return 0;
}

static int compare_pins(const void *a, const void *b)
{
	return strcmp(*(char *const *)a, *(char *const *)b);
}

/* A cache whose directory is not visible here has no pins. */
static void load_pins_of(struct pins *pins, const char *dir)
{
	int root = *dir ? open(dir, O_RDONLY | O_DIRECTORY | O_CLOEXEC) : -1;
	int fd = root < 0 ? -1 : pins_open(root, false);

	if (fd >= 0) {
		pins_each(fd, add_pin, pins);
		close(fd);
	}
	if (root >= 0)
		close(root);
	if (pins->count)
		qsort(pins->names, pins->count, sizeof(*pins->names), compare_pins);
}

static int load_pins(struct status *status)
{
	size_t i;

	status->pins = calloc(status_caches(status), sizeof(*status->pins));
	if (!status->pins)
		return -ENOMEM;
	for (i = 0; i < status_caches(status); i++)
		load_pins_of(&status->pins[i], status_of_cache(status, i, "dir"));
	return 0;
}

static void free_pins(struct status *status)
{
	size_t i;

	for (i = 0; status->pins && i < status_caches(status); i++) {
		struct pins *pins = &status->pins[i];

		while (pins->count)
			free(pins->names[--pins->count]);
		free(pins->names);
	}
	free(status->pins);
}

/* Loads a file that older modules lack. */
static int load_optional(struct table *table, const char *proc, const char *name,
			 const char **missing)
{
	int err = load_file(table, proc, name, missing);

	if (err == -ENOENT) {
		*missing = NULL;
		return 0;
	}
	return err;
}

/**
 * status_load - read the status files
 * @status: filled in; call status_free() even after an error
 * @proc: path of /proc
 * @missing: set to the file that could not be read
 *
 * The files are read in turn while they change, so a blob may be in one and not in the next.
 *
 * Return: 0 or a negative errno
 */
int status_load(struct status *status, const char *proc, const char **missing)
{
	char path[4096];
	size_t row;
	int err;

	memset(status, 0, sizeof(*status));
	*missing = NULL;
	err = load_file(&status->cache, proc, "fs/cachefiles_od/cache", missing);
	if (!err)
		err = load_optional(&status->caches, proc, "fs/cachefiles_od/caches", missing);
	if (!err)
		err = load_optional(&status->reads, proc, "fs/erofs_od/stats", missing);
	if (!err)
		err = load_file(&status->uses, proc, "fs/erofs_od/mounts", missing);
	if (!err)
		err = load_file(&status->blobs, proc, "fs/cachefiles_od/blobs", missing);
	if (!err)
		err = load_file(&status->requests, proc, "fs/cachefiles_od/requests", missing);
	for (row = 0; !err && row < status->uses.rows; row++)
		err = add_use(status, row);
	if (!err)
		err = load_pins(status);
	if (err)
		return err;
	snprintf(path, sizeof(path), "%s/self/mountinfo", proc);
	err = load_targets(status, path);
	if (err == -ENOENT)
		*missing = "self/mountinfo";
	return err;
}

/**
 * status_load_users - find the processes that use mounts and caches
 * @status: loaded
 * @proc: path of /proc
 *
 * Slow: examines all processes.
 *
 * Return: 0 or a negative errno
 */
int status_load_users(struct status *status, const char *proc)
{
	const char **devs = calloc(status->mount_count + 1, sizeof(*devs));
	size_t i;
	int err;

	if (!devs)
		return -ENOMEM;
	for (i = 0; i < status->mount_count; i++)
		devs[i] = status->mounts[i].dev;
	status->users = (struct users) { .devs = devs, .nr_devs = status->mount_count };
	err = users_find(&status->users, proc);
	status->users.devs = NULL;
	status->users.nr_devs = 0;
	free(devs);
	return err;
}

void status_free(struct status *status)
{
	struct mounted *mounted;

	while (status->mount_count) {
		mounted = &status->mounts[--status->mount_count];
		while (mounted->target_count)
			free(mounted->targets[--mounted->target_count]);
		free(mounted->targets);
		free(mounted->type);
		free(mounted->blobs);
	}
	free(status->mounts);
	users_free(&status->users);
	free_pins(status);
	table_free(&status->cache);
	table_free(&status->caches);
	table_free(&status->blobs);
	table_free(&status->requests);
	table_free(&status->uses);
	table_free(&status->reads);
}

/** status_caches - number of caches; one without a name if none is bound */
size_t status_caches(const struct status *status)
{
	return status->caches.rows ? status->caches.rows : 1;
}

/** status_of_cache - value of a field of a cache, "" if it has none */
const char *status_of_cache(const struct status *status, size_t cache, const char *name)
{
	const char *value;

	if (status->caches.rows)
		return table_get(&status->caches, cache, name);
	value = table_find(&status->cache, name);
	return value ? value : "";
}

/** status_daemon - "bound", "gone", or a state of a newer module */
const char *status_daemon(const struct status *status)
{
	const char *daemon = table_find(&status->cache, "daemon");

	return daemon ? daemon : "unknown";
}
