/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Fetching ahead: beside a blob its source may have a trace, which says what the next start
 * will read. That is fetched in few large requests, by threads of its own, after the blob was
 * opened. Misses go first: they have their own threads and connections, little is under way
 * here at a time, less while misses are, and nothing new while some of them wait for a thread.
 *
 * A READ for what is just coming in waits for that, if it is close; one for what is to come is
 * asked for at once, and is not fetched ahead any more.
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

/** PREFETCH_THREADS - requests under way, at most */
#define PREFETCH_THREADS	8
/**
 * PREFETCH_BYTES_MIN - with so many bytes under way no further request is made, until requests
 * turn out to be quick
 */
#define PREFETCH_BYTES_MIN	(512U << 10)
/** PREFETCH_BYTES_MAX - no further request however quick they are */
#define PREFETCH_BYTES_MAX	(4U << 20)
/** PREFETCH_WAITING - blobs whose trace is still to be asked for; further ones have none */
#define PREFETCH_WAITING	4096
/** PREFETCH_TRACES - traces in memory */
#define PREFETCH_TRACES		16
/** PREFETCH_RECENT - requests that came to their end and are remembered */
#define PREFETCH_RECENT		32

struct work;
struct ahead;

/**
 * struct flight - a request that is under way or was
 * @object_id: of its blob
 * @off: first byte
 * @end: byte after the last one
 * @at: byte after the last one that was filled
 * @since_ms: when it began
 * @flying: it is under way
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
 * struct prefetch - all that is fetched ahead
 * @work: the daemon's
 * @off: do nothing
 * @stop: end the threads
 * @lock: over the rest
 * @changed: there may be something to do
 * @traces: of whichever blobs, in the order in which these were opened
 * @waiting: those that are still to be asked for
 * @known: those that are in memory
 * @bytes: under way
 * @began_ms: when the last request was made
 * @limit: of @bytes: what the source sends in a moment, so that a miss does not wait for more
 * @threads: threads
 * @count: number of @threads
 * @idle: number of @threads that wait
 * @flights: of each thread
 * @recent: a ring of former ones
 * @next: where the next one goes
 * @told: traces that were rejected, and that was logged
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
 * enum prefetch_turn - what is to be done for a READ
 * @PREFETCH_ASK: ask a source
 * @PREFETCH_WAIT: look again a little later
 * @PREFETCH_DONE: complete it
 */
enum prefetch_turn { PREFETCH_ASK, PREFETCH_WAIT, PREFETCH_DONE };

void prefetch_init(struct prefetch *prefetch, struct work *work, bool off);
void prefetch_stop(struct prefetch *prefetch);
void prefetch_open(struct prefetch *prefetch, const struct blob *blob);
enum prefetch_turn prefetch_turn(struct prefetch *prefetch, struct job *job);

#endif
