/* SPDX-License-Identifier: GPL-2.0-only */
/* Results of the doctor: one finding for each check. */
#ifndef OD_FINDINGS_H
#define OD_FINDINGS_H

#include <jansson.h>
#include <stdbool.h>
#include <stdio.h>

/**
 * enum finding_id - the checks, in the order in which they are printed
 *
 * Their names are stable: scripts and bug reports refer to them. Documentation/doctor.rst
 * describes each.
 */
enum finding_id {
	FINDING_KERNEL_RANGE,
	FINDING_KERNEL_HEADERS,
	FINDING_MODULES_BUILT,
	FINDING_ALGORITHMS,
	FINDING_SIGNATURE,
	FINDING_SIGNER_KEY,
	FINDING_SELINUX,
	FINDING_FIPS,
	FINDING_STOCK_CACHEFILES,
	FINDING_MODULES_LOADED,
	FINDING_MODULES_CURRENT,
	FINDING_DROPIN,
	FINDING_DEVICE,
	FINDING_CACHE_FOLDER,
	FINDING_CACHE_MOUNT,
	FINDING_CACHE_SPACE,
	FINDING_DAEMON,
	FINDING_COUNT,
};

/**
 * enum finding_state - result of a check
 * @FINDING_UNCHECKED: none yet
 * @FINDING_OK: nothing to do
 * @FINDING_NOTE: it works with a drawback, or could not be checked
 * @FINDING_PROBLEM: it does not work
 */
enum finding_state {
	FINDING_UNCHECKED,
	FINDING_OK,
	FINDING_NOTE,
	FINDING_PROBLEM,
};

/**
 * struct finding - a result
 * @state: result
 * @text: one sentence
 * @remedy: what to do, on one line; NULL if @state is FINDING_OK
 * @skipped: not checked because of the result of another check; @state is FINDING_NOTE
 */
struct finding {
	enum finding_state state;
	char *text;
	char *remedy;
	bool skipped;
};

/**
 * struct findings - all results
 * @list: indexed by enum finding_id
 */
struct findings {
	struct finding list[FINDING_COUNT];
};

void findings_ok(struct findings *findings, enum finding_id id, char *text);
void findings_note(struct findings *findings, enum finding_id id, char *text, char *remedy);
void findings_problem(struct findings *findings, enum finding_id id, char *text, char *remedy);
void findings_skip(struct findings *findings, enum finding_id id, enum finding_id first);
enum finding_state findings_state(const struct findings *findings, enum finding_id id);
unsigned int findings_count(const struct findings *findings, enum finding_state state);
void findings_show(const struct findings *findings, FILE *out);
json_t *findings_json(const struct findings *findings);
void findings_free(struct findings *findings);

#endif
