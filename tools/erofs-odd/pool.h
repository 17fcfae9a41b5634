/* SPDX-License-Identifier: GPL-2.0-only */
/* Worker threads and the requests that wait for one. */
#ifndef ODD_POOL_H
#define ODD_POOL_H

#include <pthread.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "blob.h"
#include "source.h"

/** POOL_QUEUE_MAX - requests that may wait here; the kernel keeps the others */
#define POOL_QUEUE_MAX	4096

/**
 * struct job - a request of the kernel
 * @next: in its queue
 * @blob: what it is about; the job holds a reference
 * @msg_id: for the answer
 * @is_open: an OPEN, else a READ
 * @off: READ: first byte
 * @len: READ: bytes
 */
struct job {
	struct job *next;
	struct blob *blob;
	uint32_t msg_id;
	bool is_open;
	uint64_t off;
	uint64_t len;
};

struct job_queue {
	struct job *head;
	struct job **tail;
};

/**
 * struct pool - the workers
 * @lock: over all that is not atomic
 * @work: a job came, or @stopping
 * @idle: a worker finished while @stopping
 * @opens: served first: a mount waits for each of them
 * @reads: served in the order they came
 * @queued: jobs in both
 * @running: jobs being handled
 * @starved: pool_full() said so, so tell by @room_fd when that changes
 * @stopping: take no more jobs
 * @abort: give up what is being handled
 * @room_fd: eventfd, readable when there is room again
 * @run: handles a job; the job is freed afterwards
 * @arg: for @run
 * @options: for the fetchers
 * @threads: the workers
 * @count: how many there are
 */
struct pool {
	pthread_mutex_t lock;
	pthread_cond_t work;
	pthread_cond_t idle;
	struct job_queue opens;
	struct job_queue reads;
	unsigned int queued;
	unsigned int running;
	bool starved;
	bool stopping;
	atomic_bool abort;
	int room_fd;
	void (*run)(void *arg, struct job *job, struct fetcher *fetcher, char *piece);
	void *arg;
	const struct fetch_options *options;
	pthread_t *threads;
	unsigned int count;
};

int pool_start(struct pool *pool, unsigned int count);
void pool_submit(struct pool *pool, struct job *job);
bool pool_full(struct pool *pool);
unsigned int pool_stop(struct pool *pool, unsigned int grace_ms);

#endif
