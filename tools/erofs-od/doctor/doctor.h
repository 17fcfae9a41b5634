/* SPDX-License-Identifier: GPL-2.0-only */
/* The doctor: one file for each subject that it checks. */
#ifndef OD_DOCTOR_H
#define OD_DOCTOR_H

#include <stdbool.h>
#include <stdint.h>

#include "dropin.h"
#include "findings.h"
#include "host.h"
#include "modules.h"

/**
 * struct doctor - state of the command
 * @host: what is checked
 * @modules: both modules there
 * @dropin: state of drop-in mode
 * @cache: cache directory, as the host sees it
 * @findings: results
 */
struct doctor {
	struct host host;
	struct modules modules;
	struct dropin dropin;
	char *cache;
	struct findings findings;
};

void doctor_kernel(struct doctor *doctor);
void doctor_modules(struct doctor *doctor);
void doctor_algorithms(struct doctor *doctor);
void doctor_security(struct doctor *doctor);
void doctor_signature(struct doctor *doctor);
void doctor_stock(struct doctor *doctor);
void doctor_device(struct doctor *doctor);
void doctor_daemon(struct doctor *doctor);
void doctor_cache(struct doctor *doctor);
void doctor_fix(struct doctor *doctor);

bool doctor_has_modules(const struct doctor *doctor);
bool doctor_is_accepted(const struct doctor *doctor, enum od_module module);

/* Decisions that need no host, for tests. */

/** enum range - position of a kernel relative to the supported series */
enum range {
	RANGE_UNKNOWN,
	RANGE_BELOW,
	RANGE_WITHIN,
	RANGE_ABOVE,
};

/** enum vermagic - does the file of a module fit a kernel? */
enum vermagic {
	VERMAGIC_SAME,
	VERMAGIC_BY_SYMBOLS,
	VERMAGIC_OTHER,
};

enum range doctor_range(const char *release, const char *minimum, const char *maximum,
			const char *also);
enum vermagic doctor_vermagic(const char *vermagic, const char *release);
char *doctor_log_reason(const char *log, const char *release);
char *doctor_lockdown(const char *text);
bool doctor_key_listed(const char *keys, const char *name);
bool doctor_is_network(uint64_t magic, const char *type);

#endif
