/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Prefetching: a source may have a trace next to a blob, listing what the next start will read.
 * It is fetched in a few large requests, by separate threads, after the blob was opened. Misses
 * have priority: they have their own threads and connections. Little is prefetched at a time,
 * less while misses are in flight, and nothing new while some of them wait for a thread.
 *
 * A READ for data that is just being prefetched waits for it, if it is close; one for data
 * planned later is sent at once, and that data is no longer prefetched.
 */
#ifndef ODD_PREFETCH_H
#define ODD_PREFETCH_H

#include <pthread.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>
#include <sys/queue.h>

#include "blob.h"
#include "pool.h"
#include "told.h"

/** PREFETCH_THREADS - maximum requests in flight */
#define PREFETCH_THREADS	8
/**
 * PREFETCH_BYTES_MIN - with so many bytes under way no further request is made, until requests
 * turn out to be quick
 */
#define PREFETCH_BYTES_MIN	(512U << 10)
/** PREFETCH_BYTES_MAX - bytes in flight that stop further requests, however quick they are */
#define PREFETCH_BYTES_MAX	(4U << 20)
/** PREFETCH_WAITING - blobs whose trace is still to be asked for; further ones have none */
#define PREFETCH_WAITING	4096
/** PREFETCH_TRACES - maximum traces in memory */
#define PREFETCH_TRACES		16
/** PREFETCH_RECENT - completed requests that are remembered */
#define PREFETCH_RECENT		32

struct work;
struct ahead;

/**
 * struct flight - a request in flight or completed
 * @object_id: object ID of its blob
 * @off: first byte
 * @end: byte after the last one
 * @at: byte after the last one that was filled
 * @since_ms: when it began
 * @flying: it is in flight
 * @taken: a thread has it
 */
struct flight {
	uint32_t object_id;
	uint64_t off;
	uint64_t end;
	atomic_ullong at;
	uint64_t since_ms;
	bool flying;
	bool taken;
};

/**
 * struct prefetch - the prefetcher
 * @work: the daemon's
 * @off: do nothing
 * @stop: stop the threads
 * @lock: protects the rest
 * @changed: there may be something to do
 * @traces: traces of all blobs, in the order in which these were opened
 * @waiting: those still to be requested
 * @known: those in memory
 * @bytes: bytes in flight
 * @began_ms: when the last request was made
 * @limit: limit of @bytes: what the source can send quickly, so that a miss does not wait long
 * @threads: threads
 * @count: number of @threads
 * @idle: number of @threads that wait
 * @flights: request of each thread
 * @recent: ring of completed ones
 * @next: index of the next one
 * @told: traces whose rejection was logged
 */
struct prefetch {
	struct work *work;
	bool off;
	atomic_bool stop;
	pthread_mutex_t lock;
	pthread_cond_t changed;
	TAILQ_HEAD(, ahead) traces;
	unsigned int waiting;
	unsigned int known;
	uint64_t bytes;
	uint64_t began_ms;
	uint64_t limit;
	pthread_t threads[PREFETCH_THREADS];
	unsigned int count;
	unsigned int idle;
	struct flight flights[PREFETCH_THREADS];
	struct flight recent[PREFETCH_RECENT];
	unsigned int next;
	struct told told;
};

/**
 * enum prefetch_turn - what to do with a READ
 * @PREFETCH_ASK: ask a source
 * @PREFETCH_WAIT: check again a little later
 * @PREFETCH_DONE: complete it
 */
enum prefetch_turn { PREFETCH_ASK, PREFETCH_WAIT, PREFETCH_DONE };

void prefetch_init(struct prefetch *prefetch, struct work *work, bool off);
void prefetch_stop(struct prefetch *prefetch);
void prefetch_open(struct prefetch *prefetch, const struct blob *blob);
enum prefetch_turn prefetch_turn(struct prefetch *prefetch, struct job *job);

#endif
