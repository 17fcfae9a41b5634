// SPDX-License-Identifier: GPL-2.0-only
#include "users.h"

#include <ctype.h>
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "fdinfo.h"
#include "text.h"

/**
 * struct process - a directory of /proc
 * @dir: fd
 * @pid: its ID
 * @users: list to add it to
 */
struct process {
	int dir;
	long pid;
	struct users *users;
};

static const char *wanted_dev(const struct users *users, const char *dev)
{
	size_t i;

	for (i = 0; i < users->nr_devs; i++)
		if (!strcmp(users->devs[i], dev))
			return users->devs[i];
	return NULL;
}

static FILE *open_in(const struct process *process, const char *name)
{
	int fd = openat(process->dir, name, O_RDONLY | O_CLOEXEC);
	FILE *in = fd < 0 ? NULL : fdopen(fd, "r");

	if (fd >= 0 && !in)
		close(fd);
	return in;
}

static char *name_of(const struct process *process)
{
	FILE *in = open_in(process, "comm");
	char name[64] = "";

	if (in && fgets(name, sizeof(name), in))
		name[strcspn(name, "\n")] = '\0';
	if (in)
		fclose(in);
	return text_copy(name);
}

/* Adds a reason, once per mount or cache and kind. */
static void add_reason(const struct process *process, const char *dev, unsigned long cache,
		       const char *how)
{
	struct users *users = process->users;
	size_t i;

	for (i = users->count; i && users->list[i - 1].pid == process->pid; i--)
		if (users->list[i - 1].how == how && !strcmp(users->list[i - 1].dev, dev) &&
		    users->list[i - 1].cache == cache)
			return;
	users->list = reallocarray(users->list, users->count + 1, sizeof(*users->list));
	if (!users->list)
		abort();
	users->list[users->count++] = (struct user) {
		.dev = text_copy(dev),
		.cache = cache,
		.pid = process->pid,
		.name = name_of(process),
		.how = how,
	};
}

static void add(const struct process *process, const char *dev, const char *how)
{
	add_reason(process, dev, 0, how);
}

/* A device's fdinfo has the cache that is bound to it. */
static void look_at_device(const struct process *process, const char *fd)
{
	unsigned long cache;
	char name[300];

	snprintf(name, sizeof(name), "fdinfo/%s", fd);
	cache = fdinfo_cache(open_in(process, name));
	if (cache)
		add_reason(process, "", cache, "serves it");
}

/* Gets the mode of a link's target in /proc, without asking a server that may not reply. */
static mode_t look_at_link(const struct process *process, int dir, const char *name,
			   const char *how)
{
	struct statx st;
	char dev[32];

	if (statx(dir, name, AT_STATX_DONT_SYNC | AT_NO_AUTOMOUNT, STATX_TYPE, &st))
		return 0;
	snprintf(dev, sizeof(dev), "%u:%u", st.stx_dev_major, st.stx_dev_minor);
	if (wanted_dev(process->users, dev))
		add(process, dev, how);
	return st.stx_mode;
}

static DIR *open_list(int dir, const char *name)
{
	int fd = openat(dir, name, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	DIR *list = fd < 0 ? NULL : fdopendir(fd);

	if (fd >= 0 && !list)
		close(fd);
	return list;
}

static void look_at_files(const struct process *process)
{
	DIR *list = open_list(process->dir, "fd");
	struct dirent *entry;

	look_at_link(process, process->dir, "cwd", "working directory");
	look_at_link(process, process->dir, "root", "root directory");
	look_at_link(process, process->dir, "exe", "program");
	while (list && (entry = readdir(list)) != NULL)
		if (entry->d_name[0] != '.' &&
		    S_ISCHR(look_at_link(process, dirfd(list), entry->d_name, "open file")))
			look_at_device(process, entry->d_name);
	if (list)
		closedir(list);
}

/* "7f00-7f01 r--p 0000 MAJOR:MINOR INODE PATH", in hexadecimal */
static void look_at_maps(const struct process *process)
{
	FILE *in = open_in(process, "maps");
	unsigned int major, minor;
	char *line = NULL;
	size_t size = 0;
	char dev[32];

	while (in && getline(&line, &size, in) > 0) {
		if (sscanf(line, "%*s %*s %*s %x:%x", &major, &minor) != 2)
			continue;
		snprintf(dev, sizeof(dev), "%u:%u", major, minor);
		if (wanted_dev(process->users, dev))
			add(process, dev, "mapped file");
	}
	free(line);
	if (in)
		fclose(in);
}

/* "ID PARENT MAJOR:MINOR ..." */
static void look_at_mounts(const struct process *process)
{
	FILE *in = open_in(process, "mountinfo");
	char *line = NULL, dev[32];
	size_t size = 0;

	while (in && getline(&line, &size, in) > 0)
		if (sscanf(line, "%*s %*s %31s", dev) == 1 && wanted_dev(process->users, dev))
			add(process, dev, "mount namespace");
	free(line);
	if (in)
		fclose(in);
}

/* --- namespaces: one process stands for all in it --- */

struct namespaces {
	char **names;
	size_t count;
};

/* Whether it is the first process seen in its namespace. */
static bool is_new(struct namespaces *seen, int dir, const char *link)
{
	char name[64];
	ssize_t len = readlinkat(dir, link, name, sizeof(name) - 1);
	size_t i;

	if (len < 0)
		return false;
	name[len] = '\0';
	for (i = 0; i < seen->count; i++)
		if (!strcmp(seen->names[i], name))
			return false;
	seen->names = text_array(seen->names, seen->count);
	seen->names[seen->count++] = text_copy(name);
	return true;
}

static void free_namespaces(struct namespaces *seen)
{
	while (seen->count)
		free(seen->names[--seen->count]);
	free(seen->names);
}

static void look_at_process(struct users *users, int proc, long pid, struct namespaces *seen)
{
	struct process process = { .pid = pid, .users = users };
	char name[24];

	snprintf(name, sizeof(name), "%ld", pid);
	process.dir = openat(proc, name, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	/* It has exited. */
	if (process.dir < 0)
		return;
	if (is_new(seen, process.dir, "ns/mnt"))
		look_at_mounts(&process);
	look_at_files(&process);
	look_at_maps(&process);
	close(process.dir);
}

static int compare_pids(const void *a, const void *b)
{
	long x = *(const long *)a, y = *(const long *)b;

	return (x > y) - (x < y);
}

/* Lists all process IDs, sorted; the caller frees them. */
static long *list_pids(DIR *list, size_t *count)
{
	struct dirent *entry;
	long *pids = NULL;

	*count = 0;
	while ((entry = readdir(list)) != NULL) {
		if (!isdigit((unsigned char)entry->d_name[0]))
			continue;
		pids = reallocarray(pids, *count + 1, sizeof(*pids));
		if (!pids)
			abort();
		pids[(*count)++] = strtol(entry->d_name, NULL, 10);
	}
	if (pids)
		qsort(pids, *count, sizeof(*pids), compare_pids);
	return pids;
}

/**
 * users_find - find the processes that use mounts or serve caches
 * @users: @devs and @nr_devs are what to look for; call users_free() in any case
 * @proc: path of /proc
 *
 * Mounts in the caller's own mount namespace do not count: it can see them.
 *
 * Return: 0 or a negative errno
 */
int users_find(struct users *users, const char *proc)
{
	DIR *list = open_list(AT_FDCWD, proc);
	struct namespaces seen = { 0 };
	size_t count, i;
	long *pids;

	users->list = NULL;
	users->count = 0;
	if (!list)
		return -errno;
	is_new(&seen, dirfd(list), "self/ns/mnt");
	pids = list_pids(list, &count);
	for (i = 0; i < count; i++)
		look_at_process(users, dirfd(list), pids[i], &seen);
	free(pids);
	closedir(list);
	free_namespaces(&seen);
	return 0;
}

void users_free(struct users *users)
{
	while (users->count) {
		free(users->list[--users->count].dev);
		free(users->list[users->count].name);
	}
	free(users->list);
}
