/* SPDX-License-Identifier: GPL-2.0-only */
/* The trace of an image, from the OPEN of its blob until everything in it is fetched. */
#ifndef ODD_AHEAD_H
#define ODD_AHEAD_H

#include "plan.h"
#include "prefetch.h"

/**
 * enum ahead_state - state of a trace
 * @AHEAD_NEW: not requested yet
 * @AHEAD_ASKED: being fetched
 * @AHEAD_KNOWN: in memory
 */
enum ahead_state { AHEAD_NEW, AHEAD_ASKED, AHEAD_KNOWN };

/**
 * enum target_state - state of a blob in a trace
 * @TARGET_NEW: not looked up yet
 * @TARGET_ASKED: being looked up
 * @TARGET_LATER: not open; look it up again later
 * @TARGET_OPEN: open
 */
enum target_state { TARGET_NEW, TARGET_ASKED, TARGET_LATER, TARGET_OPEN };

/**
 * struct target - a blob in a trace
 * @state: its state
 * @object_id: its object ID, if it is open
 */
struct target {
	enum target_state state;
	uint32_t object_id;
};

/**
 * struct ahead - a trace
 * @link: in the list of all traces
 * @object_id: of the blob it belongs to
 * @users: threads that work on it
 * @opened_ms: when that blob was opened
 * @again_ms: when to look up blobs again that were not open
 * @state: its state
 * @plan: what to fetch, once in memory
 * @targets: its blobs
 * @volume: volume of these blobs
 */
struct ahead {
	TAILQ_ENTRY(ahead) link;
	uint32_t object_id;
	unsigned int users;
	uint64_t opened_ms;
	uint64_t again_ms;
	enum ahead_state state;
	struct plan plan;
	struct target targets[TRACE_BLOBS_MAX];
	char volume[VOLUME_MAX + 1];
};

/**
 * enum task_kind - what a thread does next
 * @TASK_NONE: wait
 * @TASK_WAIT: wait briefly
 * @TASK_TRACE: fetch the trace
 * @TASK_TARGET: look up one of its blobs
 * @TASK_FETCH: fetch a range of it
 */
enum task_kind { TASK_NONE, TASK_WAIT, TASK_TRACE, TASK_TARGET, TASK_FETCH };

/**
 * struct task - what a thread does next, in full
 * @kind: its kind
 * @ahead: its trace
 * @range: blob, and for %TASK_FETCH the bytes of it
 */
struct task {
	enum task_kind kind;
	struct ahead *ahead;
	struct trace_range range;
};

struct ahead *ahead_new(const struct blob *blob);
void ahead_free(struct ahead *ahead);
void ahead_run(struct prefetch *prefetch, struct task *task, struct fetcher *fetcher,
	       struct flight *flight, char *piece);

#endif
