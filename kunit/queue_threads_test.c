// SPDX-License-Identifier: GPL-2.0-only
/*
 * The request queue under concurrency: threads that submit, one that cancels, and two daemons
 * that fetch, reply, fail and close. Each piece must be reported exactly once.
 */
#include "queue_stage.h"
#include "support.h"

#include <linux/mmu_context.h>
#include <linux/sched/task.h>

#define BLOBS		2
#define SUBMITTERS	2
#define DAEMONS		2
#define SLOTS		16
#define STEPS		400
#define RANGE		(8 * STAGE_WINDOW)

struct crowd;

/**
 * struct slot - a piece that is reused
 * @p: the piece
 * @submitted: number of times the queue accepted it
 */
struct slot {
	struct stage_piece p;
	int submitted;
};

struct member {
	struct crowd *crowd;
	struct task_struct *task;
	struct completion done;
	u32 seed;
	char __user *buf;
	struct slot slots[SLOTS];
	unsigned int hung, present, refused;
};

struct crowd {
	struct stage *stage;
	struct mm_struct *mm;
	struct member submitters[SUBMITTERS], daemons[DAEMONS], canceller;
	int fds[BLOBS];
	atomic_t completed, unexpected;
};

static bool one_in(struct member *m, u32 n)
{
	return od_test_random(&m->seed) % n == 0;
}

/* --- readers --- */

static bool slot_is_free(const struct slot *slot)
{
	return stage_reports(&slot->p) == slot->submitted;
}

/* Returns false if the piece was not reported in time. */
static bool slot_wait(struct member *m, struct slot *slot)
{
	unsigned long end = jiffies + STAGE_PATIENCE;

	while (!slot_is_free(slot)) {
		if (time_after(jiffies, end))
			return false;
		if (one_in(m, 16))
			cachefiles_od_wait_cancel(slot->p.read.cookie, m);
		usleep_range(20, 60);
	}
	return true;
}

static void slot_submit(struct member *m, struct slot *slot)
{
	struct stage_piece *p = &slot->p;
	int reports = stage_reports(p), ret;

	stage_piece(p, &m->crowd->stage->cookies[od_test_random(&m->seed) % BLOBS],
		    od_test_random(&m->seed) % RANGE, 1 + od_test_random(&m->seed) % 8192);
	atomic_set(&p->reports, reports);
	p->read.owner = m;
	if (one_in(m, 4))
		p->piece.expires = jiffies + od_test_random(&m->seed) % 3 ?: 1;
	slot->submitted++;
	ret = stage_miss(p);
	if (ret == 0) {
		m->hung++;
		return;
	}
	/* The queue did not take it. */
	slot->submitted--;
	if (ret == 1)
		m->present++;
	else
		atomic_inc(&m->crowd->unexpected);
}

static int submitter_thread(void *data)
{
	struct member *m = data;
	int step;

	for (step = 0; step < STEPS; step++) {
		struct slot *slot = &m->slots[od_test_random(&m->seed) % SLOTS];

		if (!slot_wait(m, slot))
			break;
		slot_submit(m, slot);
	}
	complete(&m->done);
	return 0;
}

static int canceller_thread(void *data)
{
	struct member *m = data;
	struct crowd *crowd = m->crowd;

	while (!kthread_should_stop()) {
		u32 nr = od_test_random(&m->seed) % BLOBS;
		struct cachefiles_od_cookie *cookie = &crowd->stage->cookies[nr];

		if (one_in(m, 8))
			cachefiles_od_queue_restore(&crowd->stage->cache.queue);
		else if (one_in(m, 4))
			cachefiles_od_wait_cancel(cookie, NULL);
		else
			cachefiles_od_wait_cancel(cookie, &crowd->submitters[nr % SUBMITTERS]);
		usleep_range(500, 2000);
	}
	return 0;
}

/* --- the daemons --- */

static void close_blob(struct crowd *crowd, int nr)
{
	int fd = xchg(&crowd->fds[nr], -1);

	if (fd >= 0)
		stage_close_fd(crowd->stage, fd);
}

static int blob_of(struct crowd *crowd, u32 object_id)
{
	int i, nr = -1;

	for (i = 0; i < BLOBS; i++)
		if (stage_object_id(&crowd->stage->cookies[i]) == object_id)
			nr = i;
	return nr;
}

static void answer_open(struct member *m, const struct stage_message *msg)
{
	struct crowd *crowd = m->crowd;
	int nr = blob_of(crowd, msg->head.object_id), old;

	if (nr < 0 || one_in(m, 8)) {
		/* Too early: the reply follows. */
		stage_close_fd(crowd->stage, msg->fd);
	} else {
		old = xchg(&crowd->fds[nr], msg->fd);
		if (old >= 0)
			stage_close_fd(crowd->stage, old);
	}
	stage_copen(crowd->stage, msg->head.msg_id, one_in(m, 8) ? -EIO : (s64)STAGE_SIZE);
}

static void answer_read(struct member *m, const struct stage_message *msg)
{
	struct crowd *crowd = m->crowd;
	int nr = blob_of(crowd, msg->head.object_id);
	struct cachefiles_od_cookie *cookie;
	u64 len = msg->range.len;

	if (nr < 0)
		return;
	cookie = &crowd->stage->cookies[nr];
	if (one_in(m, 16)) {
		close_blob(crowd, nr);
		return;
	}
	/* Some of the data, all of it, or none. */
	if (one_in(m, 2)) {
		stage_fill(cookie, msg->range.off,
			   msg->range.off + (one_in(m, 2) ? len : len / 2));
	}
	if (!one_in(m, 8) && stage_answer(crowd->stage, nr, msg) == 0)
		atomic_inc(&crowd->completed);
	if (one_in(m, 2))
		stage_forget_present(cookie);
}

static int daemon_thread(void *data)
{
	struct member *m = data;
	struct stage_message msg;

	kthread_use_mm(m->crowd->mm);
	while (!kthread_should_stop()) {
		ssize_t len = stage_fetch_to(m->crowd->stage, m->buf, &msg);

		if (len == 0)
			usleep_range(20, 60);
		else if (len < 0)
			atomic_inc(&m->crowd->unexpected);
		else if (msg.head.opcode == CACHEFILES_OD_OP_OPEN)
			answer_open(m, &msg);
		else if (msg.head.opcode == CACHEFILES_OD_OP_READ)
			answer_read(m, &msg);
	}
	kthread_unuse_mm(m->crowd->mm);
	return 0;
}

/* --- the crowd --- */

static void start(struct kunit *test, struct crowd *crowd, struct member *m,
		  int (*thread)(void *data), u32 *seed)
{
	struct task_struct *task;

	m->crowd = crowd;
	m->seed = od_test_random(seed);
	init_completion(&m->done);
	task = kthread_create(thread, m, "od_crowd");
	KUNIT_EXPECT_FALSE(test, IS_ERR(task));
	if (IS_ERR(task))
		return;
	m->task = get_task_struct(task);
	wake_up_process(task);
}

static void join(struct member *m)
{
	if (m->task)
		kthread_stop_put(m->task);
}

static void check_slots(struct kunit *test, struct member *m)
{
	int i;

	for (i = 0; i < SLOTS; i++)
		KUNIT_EXPECT_EQ_MSG(test, stage_reports(&m->slots[i].p), m->slots[i].submitted,
				    "piece %d", i);
}

static void start_all(struct kunit *test, struct crowd *crowd)
{
	u32 seed = od_test_seed(test);
	int i;

	for (i = 0; i < BLOBS; i++)
		crowd->fds[i] = -1;
	for (i = 0; i < DAEMONS; i++) {
		crowd->daemons[i].buf = crowd->stage->buf + (i + 1) * PAGE_SIZE;
		start(test, crowd, &crowd->daemons[i], daemon_thread, &seed);
	}
	start(test, crowd, &crowd->canceller, canceller_thread, &seed);
	for (i = 0; i < SUBMITTERS; i++)
		start(test, crowd, &crowd->submitters[i], submitter_thread, &seed);
}

static void queue_everybody_at_once(struct kunit *test)
{
	struct crowd *crowd = kunit_kzalloc(test, sizeof(*crowd), GFP_KERNEL);
	unsigned int hung = 0, present = 0;
	int i;

	KUNIT_ASSERT_NOT_NULL(test, crowd);
	crowd->stage = test->priv;
	crowd->mm = current->mm;
	start_all(test, crowd);
	for (i = 0; i < SUBMITTERS; i++)
		KUNIT_EXPECT_GT(test, wait_for_completion_timeout(&crowd->submitters[i].done,
								  120 * HZ), 0);
	/* While the daemons are still running. */
	stage_stop(crowd->stage);
	for (i = 0; i < SUBMITTERS; i++)
		join(&crowd->submitters[i]);
	for (i = 0; i < DAEMONS; i++)
		join(&crowd->daemons[i]);
	join(&crowd->canceller);
	stage_settle();

	for (i = 0; i < SUBMITTERS; i++) {
		check_slots(test, &crowd->submitters[i]);
		hung += crowd->submitters[i].hung;
		present += crowd->submitters[i].present;
	}
	kunit_info(test, "%u pieces waited, %u did not need to, %d READs completed", hung,
		   present, atomic_read(&crowd->completed));
	KUNIT_EXPECT_EQ(test, hung + present, SUBMITTERS * STEPS);
	KUNIT_EXPECT_GT(test, atomic_read(&crowd->completed), 0);
	KUNIT_EXPECT_EQ(test, atomic_read(&crowd->unexpected), 0);
	KUNIT_EXPECT_TRUE(test, stage_is_empty(crowd->stage));
}

static struct kunit_case queue_threads_cases[] = {
	KUNIT_CASE(queue_everybody_at_once),
	{}
};

static struct kunit_suite queue_threads_suite = {
	.name = "od_queue_threads",
	.init = stage_set_up,
	.exit = stage_put_away,
	.test_cases = queue_threads_cases,
};
kunit_test_suite(queue_threads_suite);
