/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Worker threads, a group for each source, and the requests that wait for one or for their next
 * try. A source that hangs only blocks its own threads, and a blob only some of these.
 */
#ifndef ODD_POOL_H
#define ODD_POOL_H

#include <pthread.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/queue.h>

#include "blob.h"
#include "health.h"
#include "source.h"

/** POOL_QUEUE_MAX - requests that may wait here by default; the kernel queues the others */
#define POOL_QUEUE_MAX	65536

/**
 * struct job - a request of the kernel
 * @link: in its queue
 * @blob: its blob; the job holds a reference
 * @msg_id: for the reply
 * @is_open: an OPEN, else a READ
 * @ended: it no longer counts in the blob's @jobs
 * @off: READ: first byte that is not in the cache yet
 * @end: READ: where it ends
 * @tail: READ: bytes from @off on, too few to be written
 * @tail_len: bytes in @tail, less than %FILL_BLOCK
 * @due_ms: not handled before
 * @came_ms: when it was received
 * @progress_ms: when it last made progress
 * @tried: sources asked in this round, as bits
 * @refused: sources that cannot serve it
 * @hopeful: a source of this round may serve it later
 * @round: number of rounds of all sources without progress
 * @doubts: number of replies that contradicted others
 * @held_ms: READ: since when it waits for prefetched data, or 0
 * @asked: READ: it does not wait for that, or no longer
 * @err: why it failed so far, 0 for not yet
 * @why: the reason as text, or NULL
 */
struct job {
	TAILQ_ENTRY(job) link;
	struct blob *blob;
	uint32_t msg_id;
	bool is_open;
	bool ended;
	uint64_t off;
	uint64_t end;
	char *tail;
	size_t tail_len;
	uint64_t due_ms;
	uint64_t came_ms;
	uint64_t progress_ms;
	uint64_t tried;
	uint64_t refused;
	bool hopeful;
	unsigned int round;
	unsigned int doubts;
	uint64_t held_ms;
	bool asked;
	int err;
	char *why;
};

TAILQ_HEAD(job_queue, job);

struct pools;

/**
 * struct pool - the workers of one source
 * @pools: all pools
 * @source: its source
 * @health: health of the source
 * @lock: protects all that follows
 * @work: a job was queued, or @stopping
 * @idle: a worker finished while @stopping
 * @opens: served first: a mount waits for each of them
 * @firsts: READs of blobs that had no other request when they arrived
 * @reads: all other READs, served in order
 * @turn: @reads was served before @firsts last time; they take turns
 * @ready: jobs in these three
 * @later: jobs that are not due yet, sorted by @due_ms
 * @running: jobs being handled
 * @waiting: threads without a job
 * @stopping: take no more jobs
 * @threads: the workers
 * @count: number of @threads
 */
struct pool {
	struct pools *pools;
	struct source *source;
	struct health health;
	pthread_mutex_t lock;
	pthread_cond_t work;
	pthread_cond_t idle;
	struct job_queue opens;
	struct job_queue firsts;
	struct job_queue reads;
	bool turn;
	unsigned int ready;
	struct job_queue later;
	unsigned int running;
	unsigned int waiting;
	bool stopping;
	pthread_t *threads;
	unsigned int count;
};

/**
 * struct pools - all workers
 * @run: handles a job for a source: it frees the job or submits it again
 * @arg: for @run
 * @options: for the fetchers
 * @threads: requests handled at once at a source; a quarter as many more for blobs that have
 *	no other request
 * @queue_max: jobs that may wait
 * @queued: jobs that wait
 * @starved: pools_full() returned true: signal @room_fd when that changes
 * @abort: abort what is being handled
 * @room_fd: eventfd, readable when the queue has space again
 * @of: one for each source, by its index
 * @count: number of pools
 */
struct pools {
	void (*run)(void *arg, struct pool *pool, struct job *job, struct fetcher *fetcher,
		    char *piece);
	void *arg;
	const struct fetch_options *options;
	unsigned int threads;
	unsigned int queue_max;
	atomic_uint queued;
	atomic_bool starved;
	atomic_bool abort;
	int room_fd;
	struct pool *of;
	int count;
};

/**
 * enum pools_load - load of the workers
 * @POOLS_IDLE: nothing
 * @POOLS_BUSY: requests are in flight
 * @POOLS_FULL: requests wait for a thread
 */
enum pools_load { POOLS_IDLE, POOLS_BUSY, POOLS_FULL };

int pools_start(struct pools *pools, struct source *sources);
void pools_submit(struct pools *pools, int index, struct job *job);
bool pools_full(struct pools *pools);
enum pools_load pools_load(struct pools *pools);
void pools_closed(struct pools *pools);
unsigned int pools_stop(struct pools *pools, unsigned int grace_ms);
struct job *job_new(struct blob *blob, uint32_t msg_id);
void job_ends(struct job *job);
void job_free(struct job *job);

#endif
