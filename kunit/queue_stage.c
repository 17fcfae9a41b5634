// SPDX-License-Identifier: GPL-2.0-only
#include "queue_stage.h"

#include <linux/anon_inodes.h>
#include <linux/fdtable.h>
#include <linux/file.h>
#include <linux/mman.h>
#include <linux/module.h>
#include <linux/sched/task.h>
#include <linux/slab.h>
#include <linux/uaccess.h>

/* --- stand-ins for other files --- */

DEFINE_MUTEX(cachefiles_od_mutex);
struct workqueue_struct *cachefiles_od_wq;
struct workqueue_struct *cachefiles_od_deadline_wq;
u64 stage_window;
void (*stage_settling)(struct cachefiles_od_cookie *cookie);
int stage_fd_error;

/* The stage holds a reference to each object: a put that drops the last one is one too many. */
static atomic_t too_many_puts;

static void count_too_many(struct kref *ref)
{
	atomic_inc(&too_many_puts);
}

void cachefiles_od_cookie_put(struct cachefiles_od_cookie *cookie)
{
	kref_put(&cookie->ref, count_too_many);
}

void cachefiles_od_cache_put(struct cachefiles_od_cache *cache)
{
	kref_put(&cache->ref, count_too_many);
}

u64 cachefiles_od_window(void)
{
	return stage_window;
}

bool cachefiles_od_begin_operation(struct cachefiles_od_cookie *cookie)
{
	return atomic_inc_not_zero(&cookie->nr_ops);
}

void cachefiles_od_end_operation(struct cachefiles_od_cookie *cookie)
{
	atomic_dec(&cookie->nr_ops);
}

int cachefiles_od_backing_settle(struct cachefiles_od_cookie *cookie, u64 size,
				 const char *validator, bool first)
{
	void (*settling)(struct cachefiles_od_cookie *cookie) = xchg(&stage_settling, NULL);

	if (settling)
		settling(cookie);
	if (!first)
		return cookie->size == size ? 0 : -ESTALE;
	cookie->size = size;
	return 0;
}

/* A piece is not touched after it was counted: the test may reuse it. */
static void count_report(struct cachefiles_od_piece *piece)
{
	atomic_inc_return_release(&container_of(piece, struct stage_piece, piece)->reports);
}

static void count_take(struct cachefiles_od_piece *piece, const struct cachefiles_od_bytes *bytes)
{
	atomic_inc(&container_of(piece, struct stage_piece, piece)->taken);
}

struct stage_fd {
	struct cachefiles_od_cookie *cookie;
	u32 object_id;
};

static int stage_fd_release(struct inode *inode, struct file *file)
{
	struct stage_fd *fd = file->private_data;

	cachefiles_od_object_fd_closed(fd->cookie, fd->object_id);
	cachefiles_od_cookie_put(fd->cookie);
	kfree(fd);
	return 0;
}

static const struct file_operations stage_fd_fops = {
	.owner = THIS_MODULE,
	.release = stage_fd_release,
};

struct file *cachefiles_od_fd_create(struct cachefiles_od_cookie *cookie, u32 object_id)
{
	struct stage_fd *fd;
	struct file *file;
	int err = xchg(&stage_fd_error, 0);

	if (err)
		return ERR_PTR(err);
	fd = kmalloc(sizeof(*fd), GFP_KERNEL);
	if (!fd)
		return ERR_PTR(-ENOMEM);
	fd->cookie = cookie;
	fd->object_id = object_id;
	file = anon_inode_getfile("[stage]", &stage_fd_fops, fd, O_WRONLY);
	if (IS_ERR(file)) {
		kfree(fd);
		return file;
	}
	kref_get(&cookie->ref);
	return file;
}

/* --- setup and cleanup --- */

static void init_cookie(struct stage *stage, int nr)
{
	struct cachefiles_od_cookie *cookie = &stage->cookies[nr];

	kref_init(&cookie->ref);
	cookie->volume = &stage->volume;
	cookie->key = (u8 *)"blob";
	cookie->key_len = 4;
	cookie->name = "Dblob";
	atomic_set(&cookie->nr_ops, 1);
	spin_lock_init(&cookie->lock);
	cookie->size = STAGE_SIZE;
	cookie->present.e = stage->runs[nr];
	cookie->present.cap = STAGE_RUNS;
	cookie->state = OD_OBJ_CLOSED;
	cookie->reads = RB_ROOT;
	INIT_LIST_HEAD(&cookie->reads_by_age);
	INIT_WORK(&cookie->reopen, cachefiles_od_object_reopen);
	list_add_tail(&cookie->link, &stage->volume.cookies);
	stage->openers[nr].cookie = cookie;
}

int stage_set_up(struct kunit *test)
{
	struct stage *stage = kunit_kzalloc(test, sizeof(*stage), GFP_KERNEL);
	int i;

	KUNIT_ASSERT_NOT_NULL(test, stage);
	cachefiles_od_wq = alloc_workqueue("od_queue_test", WQ_UNBOUND | WQ_MEM_RECLAIM, 0);
	KUNIT_ASSERT_NOT_NULL(test, cachefiles_od_wq);
	cachefiles_od_deadline_wq = cachefiles_od_wq;
	stage_window = STAGE_WINDOW;
	stage_fd_error = 0;
	stage_settling = NULL;
	atomic_set(&too_many_puts, 0);
	kref_init(&stage->cache.ref);
	INIT_LIST_HEAD(&stage->cache.volumes);
	kref_init(&stage->volume.ref);
	stage->volume.cache = &stage->cache;
	stage->volume.key = stage->volume.name + 1;
	strscpy(stage->volume.name, "Ierofs,test", sizeof(stage->volume.name));
	INIT_LIST_HEAD(&stage->volume.cookies);
	list_add_tail(&stage->volume.link, &stage->cache.volumes);
	for (i = 0; i < STAGE_COOKIES; i++)
		init_cookie(stage, i);
	for (i = 0; i < STAGE_FDS; i++)
		stage->fds[i] = -1;
	stage->buf = (char __user *)kunit_vm_mmap(test, NULL, 0, 4 * PAGE_SIZE,
						  PROT_READ | PROT_WRITE,
						  MAP_ANONYMOUS | MAP_PRIVATE, 0);
	KUNIT_ASSERT_NOT_NULL(test, (void *)stage->buf);
	cachefiles_od_request_init_queue(&stage->cache.queue);
	cachefiles_od_wait_init(&stage->cache.queue);
	stage->cache.queue.wide = true;
	cachefiles_od_queue_start(&stage->cache.queue);
	test->priv = stage;
	return 0;
}

void stage_stop(struct stage *stage)
{
	LIST_HEAD(pieces);
	LIST_HEAD(ended);

	mutex_lock(&cachefiles_od_mutex);
	cachefiles_od_queue_stop(&stage->cache.queue, &pieces, &ended);
	mutex_unlock(&cachefiles_od_mutex);
	cachefiles_od_wait_resume(&pieces);
	cachefiles_od_request_put_all(&ended);
}

void stage_settle(void)
{
	flush_delayed_fput();
	/* Work may queue work. */
	flush_workqueue(cachefiles_od_wq);
	flush_workqueue(cachefiles_od_wq);
}

/* Whatever the test did, all references are dropped, and no more than were taken. */
void stage_put_away(struct kunit *test)
{
	struct stage *stage = test->priv;
	int i;

	if (!stage)
		return;
	stage_stop(stage);
	for (i = 0; i < STAGE_COOKIES; i++)
		if (stage->openers[i].task)
			kthread_stop_put(stage->openers[i].task);
	for (i = 0; i < STAGE_FDS; i++)
		if (stage->fds[i] >= 0)
			close_fd(stage->fds[i]);
	stage_settle();
	KUNIT_EXPECT_TRUE(test, stage_is_empty(stage));
	KUNIT_EXPECT_EQ(test, atomic_read(&too_many_puts), 0);
	KUNIT_EXPECT_EQ(test, kref_read(&stage->cache.ref), 1);
	for (i = 0; i < STAGE_COOKIES; i++) {
		KUNIT_EXPECT_EQ(test, kref_read(&stage->cookies[i].ref), 1);
		KUNIT_EXPECT_EQ(test, atomic_read(&stage->cookies[i].nr_ops), 1);
		KUNIT_EXPECT_TRUE(test, RB_EMPTY_ROOT(&stage->cookies[i].reads));
		KUNIT_EXPECT_NULL(test, stage->cookies[i].open);
	}
	xa_destroy(&stage->cache.queue.requests);
	destroy_workqueue(cachefiles_od_wq);
}

/* --- blobs and pieces --- */

void stage_make_open(struct stage *stage, int nr)
{
	spin_lock(&stage->cookies[nr].lock);
	stage->cookies[nr].state = OD_OBJ_OPEN;
	stage->cookies[nr].object_id = 100 + nr;
	spin_unlock(&stage->cookies[nr].lock);
}

void stage_mark_present(struct cachefiles_od_cookie *cookie, u64 start, u64 end)
{
	spin_lock(&cookie->lock);
	/* Without a free run the range stays absent, which is safe. */
	od_extents_add(&cookie->present, start, end);
	spin_unlock(&cookie->lock);
}

void stage_fill(struct cachefiles_od_cookie *cookie, u64 start, u64 end)
{
	stage_mark_present(cookie, start, end);
	cachefiles_od_wait_filled(cookie, start, end);
}

/* As if a reader of the device were copying it out. */
void stage_set_fetching(struct cachefiles_od_request *req)
{
	spin_lock(&req->cookie->lock);
	req->state = OD_REQ_FETCHING;
	cachefiles_od_request_update_ready(req);
	spin_unlock(&req->cookie->lock);
}

u32 stage_object_id(struct cachefiles_od_cookie *cookie)
{
	u32 id;

	spin_lock(&cookie->lock);
	id = cookie->object_id;
	spin_unlock(&cookie->lock);
	return id;
}

void stage_forget_present(struct cachefiles_od_cookie *cookie)
{
	spin_lock(&cookie->lock);
	cookie->present.nr = 0;
	cookie->present.bytes = 0;
	spin_unlock(&cookie->lock);
}

bool stage_is_empty(struct stage *stage)
{
	return xa_empty(&stage->cache.queue.requests);
}

unsigned int stage_count_requests(struct stage *stage)
{
	struct cachefiles_od_request *req;
	unsigned int n = 0;
	unsigned long id;

	xa_for_each(&stage->cache.queue.requests, id, req)
		n++;
	return n;
}

void stage_piece(struct stage_piece *p, struct cachefiles_od_cookie *cookie, u64 start, size_t len)
{
	memset(p, 0, sizeof(*p));
	p->read.cookie = cookie;
	p->read.start = start;
	p->read.len = len;
	p->piece.read = &p->read;
	p->piece.len = len;
	INIT_LIST_HEAD(&p->piece.link);
	p->piece.go_on = count_report;
	p->piece.take = count_take;
}

int stage_miss(struct stage_piece *p)
{
	size_t len;

	return cachefiles_od_wait_miss(p->read.cookie, &p->piece, &len);
}

int stage_miss_at(struct stage *stage, int piece, int cookie, u64 start, size_t len)
{
	stage_piece(&stage->pieces[piece], &stage->cookies[cookie], start, len);
	return stage_miss(&stage->pieces[piece]);
}

int stage_reports(const struct stage_piece *p)
{
	return atomic_read_acquire(&p->reports);
}

/* --- the daemon --- */

static void keep_fd(struct stage *stage, int fd)
{
	int i;

	for (i = 0; i < STAGE_FDS; i++)
		if (cmpxchg(&stage->fds[i], -1, fd) == -1)
			return;
}

void stage_close_fd(struct stage *stage, int fd)
{
	int i;

	for (i = 0; i < STAGE_FDS; i++)
		if (cmpxchg(&stage->fds[i], fd, -1) == fd)
			break;
	close_fd(fd);
	flush_delayed_fput();
}

ssize_t stage_fetch_to(struct stage *stage, char __user *buf, struct stage_message *m)
{
	ssize_t len = cachefiles_od_queue_fetch(&stage->cache, buf, CACHEFILES_OD_MSG_MAX);
	struct cachefiles_od_open open;

	memset(m, 0, sizeof(*m));
	if (len <= 0)
		return len;
	if (copy_from_user(&m->head, buf, sizeof(m->head)))
		return -EFAULT;
	buf += sizeof(m->head);
	if (m->head.opcode == CACHEFILES_OD_OP_READ &&
	    copy_from_user(&m->range, buf, sizeof(m->range)))
		return -EFAULT;
	if (m->head.opcode == CACHEFILES_OD_OP_OPEN) {
		if (copy_from_user(&open, buf, sizeof(open)))
			return -EFAULT;
		m->fd = open.fd;
		keep_fd(stage, open.fd);
	}
	return len;
}

ssize_t stage_fetch(struct stage *stage, struct stage_message *m)
{
	return stage_fetch_to(stage, stage->buf, m);
}

int stage_answer(struct stage *stage, int cookie, const struct stage_message *m)
{
	return cachefiles_od_wait_read_complete(&stage->cookies[cookie], m->head.object_id,
						m->head.msg_id);
}

int stage_copen(struct stage *stage, u32 id, s64 size)
{
	const struct od_copen copen = { .id = id, .size = size, .validator = "" };

	return cachefiles_od_object_copen(&stage->cache.queue, &copen);
}

/* --- trace events --- */

void cachefiles_od_trace_sent(const struct cachefiles_od_request *req)
{
}

void cachefiles_od_trace_ended(const struct cachefiles_od_request *req, int error)
{
}

/* --- openers --- */

static int opener_thread(void *data)
{
	struct stage_opener *opener = data;

	opener->ret = cachefiles_od_object_ask(opener->cookie) ?:
		      cachefiles_od_object_wait(opener->cookie);
	complete(&opener->done);
	return 0;
}

void stage_open(struct kunit *test, int nr)
{
	struct stage *stage = test->priv;
	struct stage_opener *opener = &stage->openers[nr];
	struct task_struct *task;

	init_completion(&opener->done);
	/* If the queue loses it, the test fails and continues. */
	opener->cookie->timeout_ms = 2 * 1000 * STAGE_PATIENCE / HZ;
	task = kthread_create(opener_thread, opener, "od_opener");
	KUNIT_ASSERT_FALSE(test, IS_ERR(task));
	opener->task = get_task_struct(task);
	wake_up_process(task);
}

bool stage_wait_open(struct stage *stage, struct stage_message *m)
{
	unsigned long end = jiffies + STAGE_PATIENCE;

	while (stage_fetch(stage, m) == 0 && time_before(jiffies, end))
		msleep(1);
	return m->head.opcode == CACHEFILES_OD_OP_OPEN && m->head.len;
}

int stage_opened(struct stage *stage, int nr)
{
	struct stage_opener *opener = &stage->openers[nr];

	if (!wait_for_completion_timeout(&opener->done, STAGE_PATIENCE))
		return -EINPROGRESS;
	kthread_stop_put(opener->task);
	opener->task = NULL;
	return opener->ret;
}
