/* SPDX-License-Identifier: GPL-2.0-only */
/* The doctor: one file for each field that it asks about. */
#ifndef OD_DOCTOR_H
#define OD_DOCTOR_H

#include <stdbool.h>
#include <stdint.h>

#include "dropin.h"
#include "findings.h"
#include "machine.h"
#include "modules.h"

/** DOCTOR_CACHE - folder of the cache, unless something else is said */
#define DOCTOR_CACHE	"/var/cache/erofs-od"

/**
 * struct doctor - who asks
 * @machine: what about
 * @modules: both modules there
 * @dropin: how drop-in mode stands
 * @cache: folder of the cache, as the machine sees it
 * @findings: the answers
 */
struct doctor {
	struct machine machine;
	struct modules modules;
	struct dropin dropin;
	char *cache;
	struct findings findings;
};

void doctor_kernel(struct doctor *doctor);
void doctor_modules(struct doctor *doctor);
void doctor_trust(struct doctor *doctor);
void doctor_stock(struct doctor *doctor);
void doctor_device(struct doctor *doctor);
void doctor_daemon(struct doctor *doctor);
void doctor_cache(struct doctor *doctor);
void doctor_fix(struct doctor *doctor);

bool doctor_has_modules(const struct doctor *doctor);
bool doctor_is_accepted(const struct doctor *doctor, enum od_module module);

/* The logic behind some of the answers, which needs no machine. */

/** enum range - where a kernel lies */
enum range {
	RANGE_UNKNOWN,
	RANGE_BELOW,
	RANGE_WITHIN,
	RANGE_ABOVE,
};

/** enum vermagic - does a module's file fit a kernel? */
enum vermagic {
	VERMAGIC_SAME,
	VERMAGIC_BY_SYMBOLS,
	VERMAGIC_OTHER,
};

enum range doctor_range(const char *release, const char *minimum, const char *maximum);
enum vermagic doctor_vermagic(const char *vermagic, const char *release);
char *doctor_log_reason(const char *log, const char *release);
char *doctor_lockdown(const char *text);
bool doctor_key_listed(const char *keys, const char *name);
bool doctor_is_network(uint64_t magic, const char *type);

#endif
