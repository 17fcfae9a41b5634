// SPDX-License-Identifier: GPL-2.0-only
/* The file of drop-in mode, and what comes of it. */
#include "dropin.h"

#include <errno.h>
#include <libgen.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "text.h"

/* The first line says whose the file is; a version may change the others. */
#define HEAD	"# Written by 'erofs-od dropin enable', removed by 'erofs-od dropin disable'.\n"

static const char dropin_file_text[] =
	HEAD
	"# For clients that mount the type erofs and open /dev/cachefiles: they get erofs_od\n"
	"# and cachefiles_od. What is changed here is lost.\n"
	"options erofs_od dropin=1\n"
	"# A mount of type erofs asks for fs-erofs. An alias of a file like this comes before\n"
	"# those that the modules bring, and before their names: 'modprobe erofs' and\n"
	"# 'modprobe cachefiles', which a blacklist would let through, load these, too. An\n"
	"# install line would do as well, but loads first what the kernel's own modules need.\n"
	"alias fs-erofs erofs_od\n"
	"alias erofs erofs_od\n"
	"alias cachefiles cachefiles_od\n"
	"# For what looks up a module without regard to the aliases above.\n"
	"blacklist erofs\n"
	"blacklist cachefiles\n";

/** dropin_text - what DROPIN_FILE has to have */
const char *dropin_text(void)
{
	return dropin_file_text;
}

/** dropin_file_kind - whose file is it, by its text (without last newlines), or NULL for none? */
enum dropin_file dropin_file_kind(const char *text)
{
	size_t len = sizeof(dropin_file_text) - 2;

	if (!text)
		return DROPIN_FILE_NONE;
	if (strlen(text) == len && !strncmp(text, dropin_file_text, len))
		return DROPIN_FILE_OURS;
	return strncmp(text, HEAD, strlen(HEAD)) ? DROPIN_FILE_FOREIGN : DROPIN_FILE_OLD;
}

/** dropin_option_set - do a module's options say dropin? The last one counts. */
bool dropin_option_set(const char *options)
{
	char *copy = text_copy(options ? options : ""), *rest = copy, *word;
	bool set = false;

	while ((word = strsep(&rest, " \t")) != NULL) {
		if (!strcmp(word, "dropin"))
			set = true;
		else if (!strncmp(word, "dropin=", 7))
			set = word[7] && strchr("1yY", word[7]);
	}
	free(copy);
	return set;
}

/* One thing of three that all have to be so. */
static void need(struct dropin *dropin, unsigned int *have, bool is_so, const char *what)
{
	if (is_so)
		++*have;
	else
		text_append(&dropin->lacks, ", ", what);
}

static bool resolves(const struct modules *modules, const char *alias, const char *wanted)
{
	char *name = module_alias(modules, alias);
	bool result = name && !strcmp(name, wanted);

	free(name);
	return result;
}

static void read_setup(struct dropin *dropin, const struct modules *modules)
{
	char *options = module_options(modules, "erofs_od");
	unsigned int have = 0;

	need(dropin, &have, dropin_option_set(options), "options erofs_od dropin=1");
	need(dropin, &have, resolves(modules, "fs-erofs", "erofs_od"), "alias fs-erofs erofs_od");
	need(dropin, &have, resolves(modules, "cachefiles", "cachefiles_od"),
	     "alias cachefiles cachefiles_od");
	dropin->setup = have == 3 ? DROPIN_ON : have ? DROPIN_PARTLY : DROPIN_OFF;
	free(options);
}

/** dropin_device_name - what the module's device is called, or will be; free it */
char *dropin_device_name(const struct machine *machine, const struct modules *modules)
{
	char *name = NULL;

	if (modules->loaded[MODULE_CACHEFILES_OD].is_loaded)
		name = machine_read(machine, "/sys/module/cachefiles_od/parameters/devname");
	return name && *name ? name : (free(name), text_copy(DROPIN_DEVICE));
}

static bool has_type(const struct machine *machine, const struct modules *modules)
{
	char *value = machine_read(machine, "/sys/module/erofs_od/parameters/dropin");
	bool has = modules->loaded[MODULE_EROFS_OD].is_loaded && value && *value == 'Y';

	free(value);
	return has;
}

static bool has_device(const struct machine *machine, const struct modules *modules)
{
	char *name = dropin_device_name(machine, modules);
	bool has = modules->loaded[MODULE_CACHEFILES_OD].is_loaded && !strcmp(name, DROPIN_DEVICE);

	free(name);
	return has;
}

/**
 * dropin_read - how does drop-in mode stand?
 * @dropin: filled in; dropin_free() it
 * @machine: where
 * @modules: of that machine
 */
void dropin_read(struct dropin *dropin, const struct machine *machine,
		 const struct modules *modules)
{
	char *text = machine_read(machine, DROPIN_FILE);

	memset(dropin, 0, sizeof(*dropin));
	dropin->file = dropin_file_kind(text);
	read_setup(dropin, modules);
	dropin->has_type = has_type(machine, modules);
	dropin->has_device = has_device(machine, modules);
	free(text);
}

void dropin_free(struct dropin *dropin)
{
	free(dropin->lacks);
	memset(dropin, 0, sizeof(*dropin));
}

/** dropin_in_force - an unchanged client would find all that it looks for */
bool dropin_in_force(const struct dropin *dropin)
{
	return dropin->has_type && dropin->has_device;
}

static int write_all(int fd, const char *text)
{
	size_t left = strlen(text);
	ssize_t n;

	while (left) {
		n = write(fd, text, left);
		if (n < 0)
			return -errno;
		text += n;
		left -= (size_t)n;
	}
	return fsync(fd) || fchmod(fd, 0644) ? -errno : 0;
}

static int replace(const char *path, char *temporary)
{
	int fd = mkostemp(temporary, 0), err;

	if (fd < 0)
		return -errno;
	err = write_all(fd, dropin_file_text);
	close(fd);
	if (!err && rename(temporary, path))
		err = -errno;
	if (err)
		unlink(temporary);
	return err;
}

/** dropin_write - make the file, as a whole or not at all; 0 or a negative errno */
int dropin_write(const struct machine *machine)
{
	char *path = machine_path(machine, DROPIN_FILE);
	/* A name that modprobe does not read. */
	char *temporary = text_format("%s.XXXXXX", path);
	char *folder = text_copy(path);
	int err = 0;

	if (mkdir(dirname(folder), 0755) && errno != EEXIST)
		err = -errno;
	if (!err)
		err = replace(path, temporary);
	free(folder);
	free(temporary);
	free(path);
	return err;
}

/** dropin_remove - remove the file; 0 or a negative errno */
int dropin_remove(const struct machine *machine)
{
	char *path = machine_path(machine, DROPIN_FILE);
	int err = unlink(path) ? -errno : 0;

	free(path);
	return err;
}
