/* SPDX-License-Identifier: GPL-2.0-only */
/* State of a worker thread for fetching: time limits, and why its last fetch failed. */
#ifndef ODD_FETCHER_H
#define ODD_FETCHER_H

#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>

/**
 * struct fetch_options - how to treat sources
 * @retry_ms: how long a request without progress is retried
 * @switch_ms: a source that sends nothing for this long is given up for the next one
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
 * enum fetch_hope - whether the same request may succeed later
 * @HOPE_NONE: no
 * @HOPE_LITTLE: the reply contradicts itself or an earlier one: a few more tries
 * @HOPE_LATER: a temporary failure: retry until the deadline
 */
enum fetch_hope { HOPE_NONE, HOPE_LITTLE, HOPE_LATER };

/**
 * struct fetcher - state of one thread
 * @options: shared by all
 * @stop: set when all work is to be aborted
 * @cancel: set when the current request is to be aborted, or NULL
 * @until_ms: when to abort it, however many requests it takes; 0: never
 * @connection: connection, for the kind of source that has one
 * @silence_ms: abort a request that receives nothing for this long; 0: never
 * @hope: after a failure
 * @pause_ms: pause that the source asked for, or 0
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
