/* SPDX-License-Identifier: GPL-2.0-only */
/* What the doctor has found: one finding for each question there is. */
#ifndef OD_FINDINGS_H
#define OD_FINDINGS_H

#include <jansson.h>
#include <stdbool.h>
#include <stdio.h>

/**
 * enum finding_id - the questions, in the order in which they are shown
 *
 * Their names are stable: scripts and bug reports go by them. Each is told in
 * Documentation/doctor.rst.
 */
enum finding_id {
	FINDING_KERNEL_RANGE,
	FINDING_MACHINE,
	FINDING_KERNEL_HEADERS,
	FINDING_MODULES_BUILT,
	FINDING_MODULES_VERSION,
	FINDING_LOCKDOWN,
	FINDING_SECURE_BOOT,
	FINDING_SIGNATURE,
	FINDING_SIGNER_KEY,
	FINDING_STOCK_CACHEFILES,
	FINDING_STOCK_EROFS,
	FINDING_MODULES_LOADED,
	FINDING_MODULES_CURRENT,
	FINDING_DROPIN,
	FINDING_DEVICE,
	FINDING_DEVICE_USER,
	FINDING_CACHE_FOLDER,
	FINDING_CACHE_MOUNT,
	FINDING_CACHE_HOLES,
	FINDING_CACHE_XATTR,
	FINDING_CACHE_SPACE,
	FINDING_DAEMON,
	FINDING_COUNT,
};

/**
 * enum finding_state - how it stands
 * @FINDING_UNASKED: there is no answer yet
 * @FINDING_OK: nothing stands in the way
 * @FINDING_NOTE: it works, or it cannot be seen
 * @FINDING_PROBLEM: it does not work
 */
enum finding_state {
	FINDING_UNASKED,
	FINDING_OK,
	FINDING_NOTE,
	FINDING_PROBLEM,
};

/**
 * struct finding - an answer
 * @state: how it stands
 * @text: one sentence
 * @remedy: one line of what to do, or NULL if it is ok
 * @waits: it is a note, since another answer has to change before it is asked
 */
struct finding {
	enum finding_state state;
	char *text;
	char *remedy;
	bool waits;
};

/**
 * struct findings - all answers
 * @list: one for each question
 */
struct findings {
	struct finding list[FINDING_COUNT];
};

void findings_ok(struct findings *findings, enum finding_id id, char *text);
void findings_note(struct findings *findings, enum finding_id id, char *text, char *remedy);
void findings_problem(struct findings *findings, enum finding_id id, char *text, char *remedy);
void findings_wait(struct findings *findings, enum finding_id id, enum finding_id first);
enum finding_state findings_state(const struct findings *findings, enum finding_id id);
unsigned int findings_count(const struct findings *findings, enum finding_state state);
const char *finding_name(enum finding_id id);
void findings_show(const struct findings *findings, FILE *out);
json_t *findings_json(const struct findings *findings);
void findings_free(struct findings *findings);

#endif
