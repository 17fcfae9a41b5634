/* SPDX-License-Identifier: GPL-2.0-only */
/* The kernel modules: what is installed, what is loaded, how modprobe resolves names. */
#ifndef OD_MODULES_H
#define OD_MODULES_H

#include <stdbool.h>
#include <stddef.h>

#include "host.h"

struct kmod_ctx;

/** enum od_module - the modules of this project, in the order of loading */
enum od_module {
	MODULE_CACHEFILES_OD,
	MODULE_EROFS_OD,
	MODULE_COUNT,
};

/** enum algorithm - of compressed images */
enum algorithm {
	ALGORITHM_LZ4,
	ALGORITHM_LZMA,
	ALGORITHM_DEFLATE,
	ALGORITHM_ZSTD,
	ALGORITHM_COUNT,
};

/**
 * struct installed - a module's file
 * @path: its path, or NULL if modprobe does not find it
 * @version: its version
 * @srcversion: checksum of its sources, or NULL
 * @vermagic: of the kernel that it was built for
 * @signer: name of its signer, or NULL
 * @is_signed: it has a signature
 */
struct installed {
	char *path;
	char *version;
	char *srcversion;
	char *vermagic;
	char *signer;
	bool is_signed;
};

/**
 * struct loaded - a module in the running kernel
 * @is_loaded: it is loaded
 * @version: its version, or NULL
 * @srcversion: checksum of its sources, or NULL
 * @users: reference count
 */
struct loaded {
	bool is_loaded;
	char *version;
	char *srcversion;
	long users;
};

/**
 * struct modules - both modules of a host
 * @kmod: libkmod's context for the host
 * @installed: their files
 * @loaded: their state in the kernel
 */
struct modules {
	struct kmod_ctx *kmod;
	struct installed installed[MODULE_COUNT];
	struct loaded loaded[MODULE_COUNT];
};

void modules_init(struct modules *modules, const struct host *host);
void modules_free(struct modules *modules);
const char *module_name(enum od_module module);
bool modules_are_installed(const struct modules *modules);
bool modules_are_loaded(const struct modules *modules);
const char *algorithm_name(enum algorithm algorithm);
int modules_algorithms(const struct modules *modules, bool has[ALGORITHM_COUNT]);
char *module_stray(const struct host *host, const char *name);
void loaded_read(struct loaded *loaded, const struct host *host, const char *name);
void loaded_free(struct loaded *loaded);
bool module_is_builtin(const struct modules *modules, const char *name);
char *module_alias(const struct modules *modules, const char *alias);
char *module_options(const struct modules *modules, const char *name);
int module_insert(const struct modules *modules, const char *name);
int module_remove(const struct modules *modules, const char *name);

#endif
