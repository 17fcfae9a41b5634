/* SPDX-License-Identifier: GPL-2.0-only */
/* What one worker thread fetches with: its patience, and why its last fetch failed. */
#ifndef ODD_FETCHER_H
#define ODD_FETCHER_H

#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>

/**
 * struct fetch_options - how to treat sources
 * @retry_ms: a request without progress is repeated for so long
 * @switch_ms: a source that sends nothing for so long is left for the next one
 * @timeout_ms: longest time for one HTTP request
 * @low_speed: an HTTP request slower than this many bytes per second ...
 * @low_speed_s: ... for this many seconds is aborted
 * @cacert: file of the certificates to trust, NULL for the system's
 * @downgrade: a redirect may lead from https to http
 * @mirrors: blobs of one name and size are the same at all sources
 */
struct fetch_options {
	unsigned long retry_ms;
	unsigned long switch_ms;
	long timeout_ms;
	long low_speed;
	long low_speed_s;
	const char *cacert;
	bool downgrade;
	bool mirrors;
};

/**
 * enum fetch_hope - may the same request succeed later?
 * @HOPE_NONE: no
 * @HOPE_LITTLE: the reply contradicts itself or an earlier one: a few more tries
 * @HOPE_LATER: a passing fault: try until time is up
 */
enum fetch_hope { HOPE_NONE, HOPE_LITTLE, HOPE_LATER };

/**
 * struct fetcher - of one thread
 * @options: shared by all
 * @stop: set when all work is to be aborted
 * @cancel: set when the current request is to be aborted, or NULL
 * @until_ms: the time at which it is aborted, however many requests it takes; 0: never
 * @connection: of the kind of source that the thread serves
 * @silence_ms: abort a request that receives nothing for so long; 0: never
 * @hope: after a failure
 * @pause_ms: the source asked not to be asked again for so long, or 0
 * @why: why the last call failed, one clause for the log
 */
struct fetcher {
	const struct fetch_options *options;
	const atomic_bool *stop;
	const atomic_bool *cancel;
	uint64_t until_ms;
	void *connection;
	unsigned long silence_ms;
	enum fetch_hope hope;
	unsigned long pause_ms;
	char why[1200];
};

bool fetcher_canceled(const struct fetcher *fetcher);
int fetcher_fail(struct fetcher *fetcher, int err, const char *fmt, ...)
	__attribute__((format(printf, 3, 4)));
int fetcher_fail_for_now(struct fetcher *fetcher, int err, const char *fmt, ...)
	__attribute__((format(printf, 3, 4)));

#endif
