// SPDX-License-Identifier: GPL-2.0-only
#include "machine.h"

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

/* How many names a sentence takes. */
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
	if (text_has_word(ids, "fedora") || text_has_word(ids, "rhel"))
		return FAMILY_FEDORA;
	if (text_has_word(ids, "suse") || text_has_word(ids, "opensuse"))
		return FAMILY_SUSE;
	return FAMILY_OTHER;
}

static void read_os_release(struct machine *machine)
{
	char *text = machine_read(machine, "/etc/os-release");
	char *id, *like, *ids;

	if (!text)
		text = machine_read(machine, "/usr/lib/os-release");
	id = os_release_value(text, "ID");
	like = os_release_value(text, "ID_LIKE");
	ids = text_format("%s %s", id ? id : "", like ? like : "");
	machine->family = family_of(ids);
	machine->distribution = os_release_value(text, "PRETTY_NAME");
	if (!machine->distribution)
		machine->distribution = text_copy(id ? id : "unknown");
	free(ids);
	free(like);
	free(id);
	free(text);
}

static char *running_kernel(const struct machine *machine)
{
	char *release = machine_read(machine, "/proc/sys/kernel/osrelease");
	struct utsname names;

	if (release && *release)
		return release;
	free(release);
	uname(&names);
	return text_copy(names.release);
}

/**
 * machine_init - begin to look
 * @machine: filled in; machine_free() it
 * @sysroot: a folder with a copy of the machine's files, or NULL for this one
 * @kernel: release that is asked about, or NULL for the running one
 */
void machine_init(struct machine *machine, const char *sysroot, const char *kernel)
{
	size_t len;

	memset(machine, 0, sizeof(*machine));
	machine->sysroot = text_copy(sysroot ? sysroot : "");
	len = strlen(machine->sysroot);
	while (len && machine->sysroot[len - 1] == '/')
		machine->sysroot[--len] = '\0';
	machine->running = running_kernel(machine);
	machine->kernel = text_copy(kernel ? kernel : machine->running);
	read_os_release(machine);
}

void machine_free(struct machine *machine)
{
	free(machine->sysroot);
	free(machine->running);
	free(machine->kernel);
	free(machine->distribution);
	memset(machine, 0, sizeof(*machine));
}

/** machine_is_here - it is this one, and no copy */
bool machine_is_here(const struct machine *machine)
{
	return !*machine->sysroot;
}

/** machine_runs_it - the kernel that is asked about is the one that runs */
bool machine_runs_it(const struct machine *machine)
{
	return !strcmp(machine->kernel, machine->running);
}

static char *path_of(const struct machine *machine, const char *fmt, va_list args)
{
	char *name = text_format_list(fmt, args);
	char *path = text_format("%s%s", machine->sysroot, name);

	free(name);
	return path;
}

/** machine_path - where a file of the machine lies; free it */
char *machine_path(const struct machine *machine, const char *fmt, ...)
{
	va_list args;
	char *path;

	va_start(args, fmt);
	path = path_of(machine, fmt, args);
	va_end(args);
	return path;
}

/** machine_read - a file of the machine as text_read() has it, or NULL; free it */
char *machine_read(const struct machine *machine, const char *fmt, ...)
{
	char *path, *text;
	va_list args;

	va_start(args, fmt);
	path = path_of(machine, fmt, args);
	va_end(args);
	text = text_read(path);
	free(path);
	return text;
}

/** machine_has - there is a file or a folder of this name */
bool machine_has(const struct machine *machine, const char *fmt, ...)
{
	va_list args;
	char *path;
	bool has;

	va_start(args, fmt);
	path = path_of(machine, fmt, args);
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

/** machine_type_mounts - the mount points of a file system type, or NULL; free it */
char *machine_type_mounts(const struct machine *machine, const char *type)
{
	char *path = machine_path(machine, "/proc/self/mountinfo");
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

static bool has_open(const struct machine *machine, const char *pid, const char *device)
{
	char *path = machine_path(machine, "/proc/%s/fd", pid);
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
 * machine_openers - who has a device open
 * @machine: where
 * @device: its path there
 * @pid: set to the first one's
 *
 * Return: names and process ids, or NULL if nobody can be seen; free it
 */
char *machine_openers(const struct machine *machine, const char *device, int *pid)
{
	char *path = machine_path(machine, "/proc");
	char *list = NULL, *name, *entry;
	DIR *dir = opendir(path);
	struct dirent *process;
	unsigned int n = 0;

	while (dir && (process = readdir(dir)) != NULL) {
		if (!is_number(process->d_name) || !has_open(machine, process->d_name, device))
			continue;
		if (!n)
			*pid = atoi(process->d_name);
		name = machine_read(machine, "/proc/%s/comm", process->d_name);
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
