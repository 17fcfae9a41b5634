// SPDX-License-Identifier: GPL-2.0-only
/* The configuration file of drop-in mode, and the state that results. */
#include "dropin.h"

#include <errno.h>
#include <libgen.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "text.h"

/* Identifies the file; other versions may write other lines after it. */
#define HEAD	"# Written by 'erofs-od dropin enable', removed by 'erofs-od dropin disable'.\n"

static const char dropin_file_text[] =
	HEAD
	"# For clients that mount the type erofs and open /dev/cachefiles: they get erofs_od\n"
	"# and cachefiles_od. Changes to this file are lost.\n"
	"options erofs_od dropin=1\n"
	"# Mounting type erofs requests fs-erofs. Aliases in this file take precedence over\n"
	"# aliases in modules and over module names: 'modprobe erofs' and 'modprobe cachefiles',\n"
	"# which a blacklist alone would not stop, load these modules as well. An install line\n"
	"# would first load what the kernel's own modules depend on.\n"
	"alias fs-erofs erofs_od\n"
	"alias erofs erofs_od\n"
	"alias cachefiles cachefiles_od\n"
	"# For lookups that ignore the aliases above.\n"
	"blacklist erofs\n"
	"blacklist cachefiles\n";

/** dropin_text - contents of DROPIN_FILE */
const char *dropin_text(void)
{
	return dropin_file_text;
}

/**
 * dropin_file_kind - who wrote a file with this text, without trailing newlines; NULL if there
 * is none
 */
enum dropin_file dropin_file_kind(const char *text)
{
	size_t len = sizeof(dropin_file_text) - 2;

	if (!text)
		return DROPIN_FILE_NONE;
	if (strlen(text) == len && !strncmp(text, dropin_file_text, len))
		return DROPIN_FILE_OURS;
	return strncmp(text, HEAD, strlen(HEAD)) ? DROPIN_FILE_FOREIGN : DROPIN_FILE_OLD;
}

/** dropin_option_set - whether module options enable dropin; the last one counts */
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

/* Records one of the three conditions. */
static void need(struct dropin *dropin, unsigned int *have, bool is_so, const char *what)
{
	if (is_so)
		++*have;
	else
		text_append(&dropin->missing, ", ", what);
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

/** dropin_device_name - name of the module's device, also if it is not loaded yet; free it */
char *dropin_device_name(const struct host *host, const struct modules *modules)
{
	char *name = NULL;

	if (modules->loaded[MODULE_CACHEFILES_OD].is_loaded)
		name = host_read(host, "/sys/module/cachefiles_od/parameters/devname");
	return name && *name ? name : (free(name), text_copy(DROPIN_DEVICE));
}

static bool has_type(const struct host *host, const struct modules *modules)
{
	char *value = host_read(host, "/sys/module/erofs_od/parameters/dropin");
	bool has = modules->loaded[MODULE_EROFS_OD].is_loaded && value && *value == 'Y';

	free(value);
	return has;
}

static bool has_device(const struct host *host, const struct modules *modules)
{
	char *name = dropin_device_name(host, modules);
	bool has = modules->loaded[MODULE_CACHEFILES_OD].is_loaded && !strcmp(name, DROPIN_DEVICE);

	free(name);
	return has;
}

/**
 * dropin_read - read the state of drop-in mode
 * @dropin: filled in; free it with dropin_free()
 * @host: the host
 * @modules: modules of that host
 */
void dropin_read(struct dropin *dropin, const struct host *host,
		 const struct modules *modules)
{
	char *text = host_read(host, DROPIN_FILE);

	memset(dropin, 0, sizeof(*dropin));
	dropin->file = dropin_file_kind(text);
	read_setup(dropin, modules);
	dropin->has_type = has_type(host, modules);
	dropin->has_device = has_device(host, modules);
	free(text);
}

void dropin_free(struct dropin *dropin)
{
	free(dropin->missing);
	memset(dropin, 0, sizeof(*dropin));
}

/** dropin_active - whether an unmodified client would find both the type and the device */
bool dropin_active(const struct dropin *dropin)
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

/** dropin_write - create DROPIN_FILE atomically. Return: 0 or a negative errno */
int dropin_write(const struct host *host)
{
	char *path = host_path(host, DROPIN_FILE);
	/* modprobe ignores this name. */
	char *temporary = text_format("%s.XXXXXX", path);
	char *dir = text_copy(path);
	int err = 0;

	if (mkdir(dirname(dir), 0755) && errno != EEXIST)
		err = -errno;
	if (!err)
		err = replace(path, temporary);
	free(dir);
	free(temporary);
	free(path);
	return err;
}

/** dropin_remove - remove DROPIN_FILE. Return: 0 or a negative errno */
int dropin_remove(const struct host *host)
{
	char *path = host_path(host, DROPIN_FILE);
	int err = unlink(path) ? -errno : 0;

	free(path);
	return err;
}
