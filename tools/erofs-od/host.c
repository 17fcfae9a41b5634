// SPDX-License-Identifier: GPL-2.0-only
#include "host.h"

#include <ctype.h>
#include <dirent.h>
#include <libmount.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/utsname.h>
#include <unistd.h>

#include "text.h"

/* Longer lists of names are truncated. */
#define NAMES_MAX	4

/* The value of a variable of os-release, without quotes, or NULL; free it. */
static char *os_release_value(const char *text, const char *name)
{
	size_t len = strlen(name);
	const char *line = text;
	char quote[2] = "";

	while (line && (strncmp(line, name, len) || line[len] != '=')) {
		line = strchr(line, '\n');
		line = line ? line + 1 : NULL;
	}
	if (!line)
		return NULL;
	line += len + 1;
	if (*line == '"' || *line == '\'')
		quote[0] = *line++;
	return text_format("%.*s", (int)strcspn(line, *quote ? quote : "\n"), line);
}

static enum family family_of(const char *ids)
{
	if (text_has_word(ids, "debian") || text_has_word(ids, "ubuntu"))
		return FAMILY_DEBIAN;
	if (text_has_word(ids, "fedora") || text_has_word(ids, "rhel") ||
	    text_has_word(ids, "openEuler") || text_has_word(ids, "anolis"))
		return FAMILY_FEDORA;
	if (text_has_word(ids, "suse") || text_has_word(ids, "opensuse"))
		return FAMILY_SUSE;
	return FAMILY_OTHER;
}

static void read_os_release(struct host *host)
{
	char *text = host_read(host, "/etc/os-release");
	char *id, *like, *ids;

	if (!text)
		text = host_read(host, "/usr/lib/os-release");
	id = os_release_value(text, "ID");
	like = os_release_value(text, "ID_LIKE");
	ids = text_format("%s %s", id ? id : "", like ? like : "");
	host->family = family_of(ids);
	host->distribution = os_release_value(text, "PRETTY_NAME");
	if (!host->distribution)
		host->distribution = text_copy(id ? id : "unknown");
	free(ids);
	free(like);
	free(id);
	free(text);
}

static char *running_kernel(const struct host *host)
{
	char *release = host_read(host, "/proc/sys/kernel/osrelease");
	struct utsname names;

	if (release && *release)
		return release;
	free(release);
	uname(&names);
	return text_copy(names.release);
}

/**
 * host_init - identify a host
 * @host: filled in; free it with host_free()
 * @sysroot: directory with a copy of its files, or NULL for this host
 * @kernel: release to examine, or NULL for the running one
 */
void host_init(struct host *host, const char *sysroot, const char *kernel)
{
	size_t len;

	memset(host, 0, sizeof(*host));
	host->sysroot = text_copy(sysroot ? sysroot : "");
	len = strlen(host->sysroot);
	while (len && host->sysroot[len - 1] == '/')
		host->sysroot[--len] = '\0';
	host->running = running_kernel(host);
	host->kernel = text_copy(kernel ? kernel : host->running);
	read_os_release(host);
}

void host_free(struct host *host)
{
	free(host->sysroot);
	free(host->running);
	free(host->kernel);
	free(host->distribution);
	memset(host, 0, sizeof(*host));
}

/** host_is_local - whether it is this host rather than a copy of its files */
bool host_is_local(const struct host *host)
{
	return !*host->sysroot;
}

/** host_runs_kernel - whether the kernel to examine is the running one */
bool host_runs_kernel(const struct host *host)
{
	return !strcmp(host->kernel, host->running);
}

static char *path_of(const struct host *host, const char *fmt, va_list args)
{
	char *name = text_format_list(fmt, args);
	char *path = text_format("%s%s", host->sysroot, name);

	free(name);
	return path;
}

/** host_path - path of a file of the host; free it */
char *host_path(const struct host *host, const char *fmt, ...)
{
	va_list args;
	char *path;

	va_start(args, fmt);
	path = path_of(host, fmt, args);
	va_end(args);
	return path;
}

/** host_read - text_read() of a file of the host; free it */
char *host_read(const struct host *host, const char *fmt, ...)
{
	char *path, *text;
	va_list args;

	va_start(args, fmt);
	path = path_of(host, fmt, args);
	va_end(args);
	text = text_read(path);
	free(path);
	return text;
}

/** host_has - whether a file or directory exists */
bool host_has(const struct host *host, const char *fmt, ...)
{
	va_list args;
	char *path;
	bool has;

	va_start(args, fmt);
	path = path_of(host, fmt, args);
	va_end(args);
	has = !access(path, F_OK);
	free(path);
	return has;
}

static void append_some(char **list, unsigned int n, const char *name)
{
	if (n < NAMES_MAX)
		text_append(list, ", ", name);
	else if (n == NAMES_MAX)
		text_append(list, ", ", "...");
}

/** host_type_mounts - list the mount points of a file system type; NULL if none; free it */
char *host_type_mounts(const struct host *host, const char *type)
{
	char *path = host_path(host, "/proc/self/mountinfo");
	struct libmnt_table *table = mnt_new_table_from_file(path);
	struct libmnt_iter *iter = mnt_new_iter(MNT_ITER_FORWARD);
	struct libmnt_fs *fs;
	char *list = NULL;
	unsigned int n = 0;

	while (table && iter && !mnt_table_next_fs(table, iter, &fs))
		if (mnt_fs_get_fstype(fs) && !strcmp(mnt_fs_get_fstype(fs), type))
			append_some(&list, n++, mnt_fs_get_target(fs));
	mnt_free_iter(iter);
	mnt_unref_table(table);
	free(path);
	return list;
}

static bool is_number(const char *text)
{
	return *text && !text[strspn(text, "0123456789")];
}

static bool has_open(const struct host *host, const char *pid, const char *device)
{
	char *path = host_path(host, "/proc/%s/fd", pid);
	DIR *dir = opendir(path);
	char target[PATH_MAX];
	struct dirent *entry;
	bool found = false;
	ssize_t len;

	while (dir && !found && (entry = readdir(dir)) != NULL) {
		len = readlinkat(dirfd(dir), entry->d_name, target, sizeof(target) - 1);
		target[len > 0 ? len : 0] = '\0';
		found = !strcmp(target, device);
	}
	if (dir)
		closedir(dir);
	free(path);
	return found;
}

/**
 * host_openers - list the processes that have a device open
 * @host: the host
 * @device: its path on the host
 * @pid: set to the first process ID
 *
 * Return: names and process IDs, or NULL if none is visible; free it
 */
char *host_openers(const struct host *host, const char *device, int *pid)
{
	char *path = host_path(host, "/proc");
	char *list = NULL, *name, *entry;
	DIR *dir = opendir(path);
	struct dirent *process;
	unsigned int n = 0;

	while (dir && (process = readdir(dir)) != NULL) {
		if (!is_number(process->d_name) || !has_open(host, process->d_name, device))
			continue;
		if (!n)
			*pid = atoi(process->d_name);
		name = host_read(host, "/proc/%s/comm", process->d_name);
		entry = text_format("%s (%s)", name ? name : "?", process->d_name);
		append_some(&list, n++, entry);
		free(entry);
		free(name);
	}
	if (dir)
		closedir(dir);
	free(path);
	return list;
}
