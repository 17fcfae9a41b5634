/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Drop-in mode: clients that mount type erofs and open /dev/cachefiles get the modules of
 * this project, and the kernel's own are not loaded.
 */
#ifndef OD_DROPIN_H
#define OD_DROPIN_H

#include <stdbool.h>

#include "host.h"
#include "modules.h"

/** DROPIN_FILE - the only file that is written or removed */
#define DROPIN_FILE	"/etc/modprobe.d/erofs-od-dropin.conf"

/** DROPIN_DEVICE - the name that unmodified clients open */
#define DROPIN_DEVICE	"cachefiles"

/**
 * enum dropin_file - contents of DROPIN_FILE
 * @DROPIN_FILE_NONE: nothing
 * @DROPIN_FILE_OURS: what this version writes
 * @DROPIN_FILE_OLD: written by another version, or edited
 * @DROPIN_FILE_FOREIGN: not written by erofs-od
 */
enum dropin_file {
	DROPIN_FILE_NONE,
	DROPIN_FILE_OURS,
	DROPIN_FILE_OLD,
	DROPIN_FILE_FOREIGN,
};

/**
 * enum dropin_setup - whether drop-in mode is configured
 * @DROPIN_OFF: no
 * @DROPIN_PARTLY: in part
 * @DROPIN_ON: yes
 */
enum dropin_setup {
	DROPIN_OFF,
	DROPIN_PARTLY,
	DROPIN_ON,
};

/**
 * struct dropin - state of drop-in mode
 * @file: contents of DROPIN_FILE
 * @setup: as modprobe sees it, from any file
 * @missing: what is not configured, or NULL
 * @has_type: erofs_od is loaded and has registered type erofs
 * @has_device: cachefiles_od is loaded and its device has DROPIN_DEVICE as name
 */
struct dropin {
	enum dropin_file file;
	enum dropin_setup setup;
	char *missing;
	bool has_type;
	bool has_device;
};

void dropin_read(struct dropin *dropin, const struct host *host,
		 const struct modules *modules);
void dropin_free(struct dropin *dropin);
bool dropin_active(const struct dropin *dropin);
const char *dropin_text(void);
enum dropin_file dropin_file_kind(const char *text);
bool dropin_option_set(const char *options);
int dropin_write(const struct host *host);
int dropin_remove(const struct host *host);
char *dropin_device_name(const struct host *host, const struct modules *modules);

#endif
