/* SPDX-License-Identifier: GPL-2.0-only */
/* Counters of the daemon, and a file with them. */
#ifndef ODD_STATS_H
#define ODD_STATS_H

#include <stdatomic.h>
#include <stdint.h>

/**
 * struct stats - counters; all threads add, the main thread prints
 * @opens: OPEN messages
 * @reads: READ messages
 * @closes: CLOSE messages
 * @bad_messages: malformed messages
 * @open_errors: OPENs that failed
 * @read_errors: READs that were not filled
 * @retries: requests to a source that were repeated
 * @failovers: READs served by another source than the one the blob was opened from
 * @device_faults: messages that could not be received: no memory, no file descriptors
 * @bytes_fetched: bytes that sources delivered, repeated ones included
 * @bytes_filled: bytes written to the cache
 * @prefetches: traces used for prefetching
 * @prefetch_requests: requests for that
 * @prefetch_hits: READs that needed no request because of it
 * @bytes_prefetched: bytes prefetched into the cache
 * @open_blobs: blobs open now
 * @in_flight: requests that a worker handles now
 * @queued: requests that wait for a worker now
 * @start_ms: when the daemon started, milliseconds of the monotonic clock
 * @first_byte_ms: when the first byte of a blob arrived, after @start_ms; 0: not yet
 */
struct stats {
	atomic_ullong opens, reads, closes, bad_messages;
	atomic_ullong open_errors, read_errors, retries, failovers, device_faults;
	atomic_ullong bytes_fetched, bytes_filled;
	atomic_ullong prefetches, prefetch_requests, prefetch_hits, bytes_prefetched;
	atomic_llong open_blobs, in_flight, queued;
	uint64_t start_ms;
	atomic_ullong first_byte_ms;
};

extern struct stats stats;

uint64_t clock_ms(void);
void stats_start(void);
void stats_first_byte(void);
int stats_write(const char *path);

#endif
