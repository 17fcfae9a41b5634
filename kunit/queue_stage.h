/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * A stage for requests, waiters, objects and the queue: a cache with a few open blobs and no
 * files, a daemon played by the test, and stand-ins for functions of other files that
 * request.c, wait.c, object.c and queue.c call.
 */
#ifndef KUNIT_QUEUE_STAGE_H
#define KUNIT_QUEUE_STAGE_H

#include "cachefiles_od/internal.h"

#include <kunit/test.h>
#include <linux/delay.h>
#include <linux/kthread.h>

#define STAGE_COOKIES	8
#define STAGE_RUNS	64
#define STAGE_FDS	16
#define STAGE_PIECES	40
#define STAGE_SIZE	(16U << 20)
#define STAGE_WINDOW	(64U << 10)

/* How long a daemon waits; expiry is a failure rather than a hang. */
#define STAGE_PATIENCE	(20 * HZ)

/**
 * struct stage_piece - a piece whose reports are counted
 * @piece: the queue's piece
 * @read: its read, which has no other piece
 * @reports: number of reports
 * @taken: number of times it took bytes that are not kept
 */
struct stage_piece {
	struct cachefiles_od_piece piece;
	struct cachefiles_od_read read;
	atomic_t reports;
	atomic_t taken;
};

/**
 * struct stage_opener - a thread that waits for an OPEN
 * @cookie: its blob
 * @task: the thread, NULL for none
 * @done: it has returned
 * @ret: its result
 */
struct stage_opener {
	struct cachefiles_od_cookie *cookie;
	struct task_struct *task;
	struct completion done;
	int ret;
};

/**
 * struct stage_message - a message read by the daemon
 * @head: of each message
 * @range: of a READ
 * @fd: of an OPEN
 */
struct stage_message {
	struct cachefiles_od_msg head;
	struct cachefiles_od_read_range range;
	u32 fd;
};

/**
 * struct stage - the whole stage
 * @cache: with the queue
 * @volume: of the blobs
 * @cookies: the blobs
 * @runs: space for their presence maps
 * @openers: threads, one for each blob
 * @pieces: for the test's use
 * @buf: user memory to fetch to
 * @fds: fetched fds that are still open, -1 for none
 */
struct stage {
	struct cachefiles_od_cache cache;
	struct cachefiles_od_volume volume;
	struct cachefiles_od_cookie cookies[STAGE_COOKIES];
	struct od_range runs[STAGE_COOKIES][STAGE_RUNS];
	struct stage_opener openers[STAGE_COOKIES];
	struct stage_piece pieces[STAGE_PIECES];
	char __user *buf;
	int fds[STAGE_FDS];
};

/* Minimum length of a READ. */
extern u64 stage_window;
/* Called once, while the reply to an OPEN is being handled. */
extern void (*stage_settling)(struct cachefiles_od_cookie *cookie);
/* Makes the next fd fail, once. */
extern int stage_fd_error;

int stage_set_up(struct kunit *test);
void stage_put_away(struct kunit *test);

/* Gives the daemon an fd of the blob without sending any message. */
void stage_make_open(struct stage *stage, int nr);
void stage_mark_present(struct cachefiles_od_cookie *cookie, u64 start, u64 end);
/* Same, and resumes what waits for it. */
void stage_fill(struct cachefiles_od_cookie *cookie, u64 start, u64 end);
void stage_set_fetching(struct cachefiles_od_request *req);
u32 stage_object_id(struct cachefiles_od_cookie *cookie);
void stage_forget_present(struct cachefiles_od_cookie *cookie);
bool stage_is_empty(struct stage *stage);
unsigned int stage_count_requests(struct stage *stage);
void stage_stop(struct stage *stage);

void stage_piece(struct stage_piece *p, struct cachefiles_od_cookie *cookie, u64 start, size_t len);
int stage_miss(struct stage_piece *p);
int stage_miss_at(struct stage *stage, int piece, int cookie, u64 start, size_t len);
int stage_reports(const struct stage_piece *p);

/* Returns 0 if there is nothing to fetch. */
ssize_t stage_fetch_to(struct stage *stage, char __user *buf, struct stage_message *m);
ssize_t stage_fetch(struct stage *stage, struct stage_message *m);
int stage_answer(struct stage *stage, int cookie, const struct stage_message *m);
int stage_copen(struct stage *stage, u32 id, s64 size);
void stage_close_fd(struct stage *stage, int fd);

void stage_open(struct kunit *test, int nr);
/* Waits until the OPEN can be fetched. */
bool stage_wait_open(struct stage *stage, struct stage_message *m);
/* Waits for the thread and returns its result. */
int stage_opened(struct stage *stage, int nr);
/* Waits until all work of the queue is done. */
void stage_settle(void);

#endif /* KUNIT_QUEUE_STAGE_H */
