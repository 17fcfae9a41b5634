/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Drop-in mode: clients that mount the type erofs and open /dev/cachefiles get
 * the modules of this project, and the kernel's own stay out.
 */
#ifndef OD_DROPIN_H
#define OD_DROPIN_H

#include <stdbool.h>

#include "machine.h"
#include "modules.h"

/** DROPIN_FILE - all that there is to write, or to remove */
#define DROPIN_FILE	"/etc/modprobe.d/erofs-od-dropin.conf"

/** DROPIN_DEVICE - the name that unchanged clients open */
#define DROPIN_DEVICE	"cachefiles"

/**
 * enum dropin_file - what is at DROPIN_FILE
 * @DROPIN_FILE_NONE: nothing
 * @DROPIN_FILE_OURS: what this version writes
 * @DROPIN_FILE_OLD: what another version has written, or somebody has changed
 * @DROPIN_FILE_FOREIGN: something else
 */
enum dropin_file {
	DROPIN_FILE_NONE,
	DROPIN_FILE_OURS,
	DROPIN_FILE_OLD,
	DROPIN_FILE_FOREIGN,
};

/**
 * enum dropin_setup - what modprobe makes of its configuration
 * @DROPIN_OFF: nothing of drop-in mode
 * @DROPIN_PARTLY: some of it
 * @DROPIN_ON: all of it
 */
enum dropin_setup {
	DROPIN_OFF,
	DROPIN_PARTLY,
	DROPIN_ON,
};

/**
 * struct dropin - how drop-in mode stands
 * @file: what is at DROPIN_FILE
 * @setup: what modprobe would do, whoever said so
 * @lacks: what is missing of it, or NULL
 * @has_type: erofs_od is loaded, and is the file system type erofs
 * @has_device: cachefiles_od is loaded, and has the device's name
 */
struct dropin {
	enum dropin_file file;
	enum dropin_setup setup;
	char *lacks;
	bool has_type;
	bool has_device;
};

void dropin_read(struct dropin *dropin, const struct machine *machine,
		 const struct modules *modules);
void dropin_free(struct dropin *dropin);
bool dropin_in_force(const struct dropin *dropin);
const char *dropin_text(void);
enum dropin_file dropin_file_kind(const char *text);
bool dropin_option_set(const char *options);
int dropin_write(const struct machine *machine);
int dropin_remove(const struct machine *machine);
char *dropin_device_name(const struct machine *machine, const struct modules *modules);

#endif
