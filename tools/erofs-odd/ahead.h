/* SPDX-License-Identifier: GPL-2.0-only */
/* The trace of an image, from the OPEN of its blob until all of it was fetched. */
#ifndef ODD_AHEAD_H
#define ODD_AHEAD_H

#include "plan.h"
#include "prefetch.h"

/**
 * enum ahead_state - what is known of a trace
 * @AHEAD_NEW: the source is to be asked for it
 * @AHEAD_ASKED: it is being asked
 * @AHEAD_KNOWN: it is in memory
 */
enum ahead_state { AHEAD_NEW, AHEAD_ASKED, AHEAD_KNOWN };

/**
 * enum target_state - what is known of a blob in a trace
 * @TARGET_NEW: is it open?
 * @TARGET_ASKED: somebody looks
 * @TARGET_LATER: it was not; look again
 * @TARGET_OPEN: it is
 */
enum target_state { TARGET_NEW, TARGET_ASKED, TARGET_LATER, TARGET_OPEN };

/**
 * struct target - a blob in a trace
 * @state: what is known of it
 * @object_id: when it is open
 */
struct target {
	enum target_state state;
	uint32_t object_id;
};

/**
 * struct ahead - a trace
 * @link: in the list of all
 * @object_id: of the blob that it lies beside
 * @users: threads at work for it
 * @opened_ms: when that was opened
 * @again_ms: when to look again for blobs that were not open
 * @state: what is known of it
 * @plan: what is to be fetched, once it is known
 * @targets: its blobs
 * @volume: whose blobs these are
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
 * enum task_kind - what a thread has to do
 * @TASK_NONE: wait
 * @TASK_WAIT: wait a moment
 * @TASK_TRACE: fetch the trace
 * @TASK_TARGET: look for one of its blobs
 * @TASK_FETCH: fetch a part of it
 */
enum task_kind { TASK_NONE, TASK_WAIT, TASK_TRACE, TASK_TARGET, TASK_FETCH };

/**
 * struct task - the same, in full
 * @kind: what
 * @ahead: for which trace
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
