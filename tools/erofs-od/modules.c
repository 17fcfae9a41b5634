// SPDX-License-Identifier: GPL-2.0-only
#include "modules.h"

#include <err.h>
#include <errno.h>
#include <ftw.h>
#include <libkmod.h>
#include <stdlib.h>
#include <string.h>

#include "command.h"
#include "text.h"

static const char *const names[MODULE_COUNT] = {
	[MODULE_CACHEFILES_OD]	= "cachefiles_od",
	[MODULE_EROFS_OD]	= "erofs_od",
};

const char *module_name(enum od_module module)
{
	return names[module];
}

/* Callers report errors themselves. */
static void be_quiet(void *data, int priority, const char *file, int line, const char *fn,
		     const char *format, va_list args)
{
	(void)data;
	(void)priority;
	(void)file;
	(void)line;
	(void)fn;
	(void)format;
	(void)args;
}

/* With config NULL, libkmod uses the directories of this host. */
static struct kmod_ctx *open_kmod(const struct host *host)
{
	char *dir = host_path(host, "/lib/modules/%s", host->kernel);
	char *etc = host_path(host, "/etc/modprobe.d");
	char *run = host_path(host, "/run/modprobe.d");
	char *local = host_path(host, "/usr/local/lib/modprobe.d");
	char *usr = host_path(host, "/usr/lib/modprobe.d");
	char *lib = host_path(host, "/lib/modprobe.d");
	const char *const config[] = { etc, run, local, usr, lib, NULL };
	struct kmod_ctx *kmod = kmod_new(dir, host_is_local(host) ? NULL : config);

	if (!kmod)
		errx(OD_EXIT_FAILED, "failed to read the configuration of modprobe");
	kmod_set_log_fn(kmod, be_quiet, NULL);
	free(lib);
	free(usr);
	free(local);
	free(run);
	free(etc);
	free(dir);
	return kmod;
}

static void set_value(char **where, const char *value)
{
	free(*where);
	*where = text_copy(value);
}

static void read_info(struct installed *installed, struct kmod_module *module)
{
	struct kmod_list *list = NULL, *entry;
	const char *key, *value;

	if (kmod_module_get_info(module, &list) < 0)
		return;
	kmod_list_foreach(entry, list) {
		key = kmod_module_info_get_key(entry);
		value = kmod_module_info_get_value(entry);
		if (!strcmp(key, "version"))
			set_value(&installed->version, value);
		else if (!strcmp(key, "srcversion"))
			set_value(&installed->srcversion, value);
		else if (!strcmp(key, "vermagic"))
			set_value(&installed->vermagic, value);
		else if (!strcmp(key, "signer"))
			set_value(&installed->signer, value);
		else if (!strcmp(key, "sig_id"))
			installed->is_signed = true;
	}
	kmod_module_info_free_list(list);
}

static void find_installed(struct installed *installed, struct kmod_ctx *kmod, const char *name)
{
	struct kmod_list *list = NULL;
	struct kmod_module *module;

	if (kmod_module_new_from_lookup(kmod, name, &list) < 0 || !list)
		return;
	module = kmod_module_get_module(list);
	installed->path = text_copy(kmod_module_get_path(module));
	if (installed->path)
		read_info(installed, module);
	kmod_module_unref(module);
	kmod_module_unref_list(list);
}

/**
 * loaded_read - look up a module in the running kernel
 * @loaded: filled in; free it with loaded_free()
 * @host: the host
 * @name: name of the module
 *
 * A built-in module has no initstate.
 */
void loaded_read(struct loaded *loaded, const struct host *host, const char *name)
{
	char *state = host_read(host, "/sys/module/%s/initstate", name);
	char *users = host_read(host, "/sys/module/%s/refcnt", name);

	memset(loaded, 0, sizeof(*loaded));
	loaded->is_loaded = state && !strcmp(state, "live");
	loaded->users = users ? strtol(users, NULL, 10) : 0;
	loaded->version = host_read(host, "/sys/module/%s/version", name);
	loaded->srcversion = host_read(host, "/sys/module/%s/srcversion", name);
	free(users);
	free(state);
}

void loaded_free(struct loaded *loaded)
{
	free(loaded->version);
	free(loaded->srcversion);
	memset(loaded, 0, sizeof(*loaded));
}

/**
 * modules_init - look up both modules
 * @modules: filled in; free it with modules_free()
 * @host: the host
 */
void modules_init(struct modules *modules, const struct host *host)
{
	int i;

	memset(modules, 0, sizeof(*modules));
	modules->kmod = open_kmod(host);
	for (i = 0; i < MODULE_COUNT; i++) {
		find_installed(&modules->installed[i], modules->kmod, names[i]);
		loaded_read(&modules->loaded[i], host, names[i]);
	}
}

void modules_free(struct modules *modules)
{
	struct installed *installed;
	int i;

	for (i = 0; i < MODULE_COUNT; i++) {
		installed = &modules->installed[i];
		free(installed->path);
		free(installed->version);
		free(installed->srcversion);
		free(installed->vermagic);
		free(installed->signer);
		loaded_free(&modules->loaded[i]);
	}
	kmod_unref(modules->kmod);
	memset(modules, 0, sizeof(*modules));
}

/** modules_are_installed - whether modprobe finds both */
bool modules_are_installed(const struct modules *modules)
{
	return modules->installed[MODULE_CACHEFILES_OD].path &&
	       modules->installed[MODULE_EROFS_OD].path;
}

bool modules_are_loaded(const struct modules *modules)
{
	return modules->loaded[MODULE_CACHEFILES_OD].is_loaded &&
	       modules->loaded[MODULE_EROFS_OD].is_loaded;
}

/* With the kernel functions that erofs_od calls for each; zstd's were renamed. */
static const struct {
	const char *name;
	const char *prefix;
} algorithms[ALGORITHM_COUNT] = {
	[ALGORITHM_LZ4]		= { "lz4", "LZ4_decompress" },
	[ALGORITHM_LZMA]	= { "lzma", "xz_dec_microlzma" },
	[ALGORITHM_DEFLATE]	= { "deflate", "zlib_inflate" },
	[ALGORITHM_ZSTD]	= { "zstd", "zstd_" },
};

const char *algorithm_name(enum algorithm algorithm)
{
	return algorithms[algorithm].name;
}

/**
 * modules_algorithms - algorithms that the installed erofs_od was built with
 * @modules: the modules of a host
 * @has: set for each algorithm
 *
 * Return: 0, or a negative errno if there is no module file
 */
int modules_algorithms(const struct modules *modules, bool has[ALGORITHM_COUNT])
{
	const char *path = modules->installed[MODULE_EROFS_OD].path, *symbol;
	struct kmod_list *list = NULL, *entry;
	struct kmod_module *module;
	size_t len;
	int i, err;

	err = path ? kmod_module_new_from_path(modules->kmod, path, &module) : -ENOENT;
	if (err < 0)
		return err;
	err = kmod_module_get_dependency_symbols(module, &list);
	memset(has, 0, ALGORITHM_COUNT * sizeof(*has));
	kmod_list_foreach(entry, list) {
		symbol = kmod_module_dependency_symbol_get_symbol(entry);
		for (i = 0; i < ALGORITHM_COUNT; i++) {
			len = strlen(algorithms[i].prefix);
			if (!strncasecmp(symbol, algorithms[i].prefix, len))
				has[i] = true;
		}
	}
	kmod_module_dependency_symbols_free_list(list);
	kmod_module_unref(module);
	return err < 0 ? err : 0;
}

/* nftw(3) passes no argument to its callback. */
static struct {
	const char *name;
	char *path;
} search;

static int look(const char *path, const struct stat *st, int type, struct FTW *where)
{
	size_t len = strlen(search.name);

	(void)st;
	if (type != FTW_F || strncmp(path + where->base, search.name, len) ||
	    strncmp(path + where->base + len, ".ko", 3))
		return 0;
	search.path = text_copy(path);
	return 1;
}

/** module_stray - find the file of a module that depmod may not have seen; free it */
char *module_stray(const struct host *host, const char *name)
{
	char *dir = host_path(host, "/lib/modules/%s", host->kernel);

	search.name = name;
	search.path = NULL;
	nftw(dir, look, 16, FTW_PHYS);
	free(dir);
	return search.path;
}

/** module_is_builtin - whether a module is built into the kernel */
bool module_is_builtin(const struct modules *modules, const char *name)
{
	struct kmod_module *module;
	bool is_builtin;

	if (kmod_module_new_from_name(modules->kmod, name, &module) < 0)
		return false;
	is_builtin = kmod_module_get_initstate(module) == KMOD_MODULE_BUILTIN;
	kmod_module_unref(module);
	return is_builtin;
}

/** module_alias - name of the first module that an alias resolves to, or NULL; free it */
char *module_alias(const struct modules *modules, const char *alias)
{
	struct kmod_list *list = NULL;
	struct kmod_module *module;
	char *name;

	if (kmod_module_new_from_lookup(modules->kmod, alias, &list) < 0 || !list)
		return NULL;
	module = kmod_module_get_module(list);
	name = text_copy(kmod_module_get_name(module));
	kmod_module_unref(module);
	kmod_module_unref_list(list);
	return name;
}

/** module_options - options that modprobe passes to a module, or NULL; free it */
char *module_options(const struct modules *modules, const char *name)
{
	struct kmod_module *module;
	char *options;

	if (kmod_module_new_from_name(modules->kmod, name, &module) < 0)
		return NULL;
	options = text_copy(kmod_module_get_options(module));
	kmod_module_unref(module);
	return options;
}

/**
 * module_insert - load a module and its dependencies, as modprobe does
 * @modules: of this host
 * @name: of the module
 *
 * Return: 0, even if it is already loaded, or a negative errno
 */
int module_insert(const struct modules *modules, const char *name)
{
	struct kmod_module *module;
	int err = kmod_module_new_from_name(modules->kmod, name, &module);

	if (err < 0)
		return err;
	err = kmod_module_probe_insert_module(module, 0, NULL, NULL, NULL, NULL);
	kmod_module_unref(module);
	return err < 0 ? err : 0;
}

/** module_remove - unload a module. Return: 0 or a negative errno */
int module_remove(const struct modules *modules, const char *name)
{
	struct kmod_module *module;
	int err = kmod_module_new_from_name(modules->kmod, name, &module);

	if (err < 0)
		return err;
	err = kmod_module_remove_module(module, 0);
	kmod_module_unref(module);
	return err;
}
