// SPDX-License-Identifier: GPL-2.0-only
#include "kernel.h"

#include <time.h>

/* --- time and waiting --- */

unsigned long shim_jiffies(void)
{
	struct timespec now;

	clock_gettime(CLOCK_MONOTONIC, &now);
	return (unsigned long)now.tv_sec * HZ + (unsigned long)now.tv_nsec / (1000000000 / HZ);
}

static void init_cond(pthread_cond_t *cond)
{
	pthread_condattr_t attr;

	pthread_condattr_init(&attr);
	pthread_condattr_setclock(&attr, CLOCK_MONOTONIC);
	pthread_cond_init(cond, &attr);
	pthread_condattr_destroy(&attr);
}

/* 0 when the time is over; a turn of some hours is for ever. */
static int wait_on(pthread_cond_t *cond, pthread_mutex_t *lock, unsigned long end)
{
	struct timespec when = {
		.tv_sec = (time_t)(end / HZ), .tv_nsec = (long)(end % HZ) * (1000000000 / HZ),
	};

	return pthread_cond_timedwait(cond, lock, &when) == 0;
}

void init_completion(struct completion *c)
{
	pthread_mutex_init(&c->lock, NULL);
	init_cond(&c->cond);
	c->done = false;
}

void complete(struct completion *c)
{
	pthread_mutex_lock(&c->lock);
	c->done = true;
	pthread_cond_broadcast(&c->cond);
	pthread_mutex_unlock(&c->lock);
}

long wait_for_completion_timeout(struct completion *c, unsigned long left)
{
	unsigned long end = jiffies + min(left, 100UL * 3600 * HZ), now;

	pthread_mutex_lock(&c->lock);
	while (!c->done && wait_on(&c->cond, &c->lock, end))
		;
	now = jiffies;
	left = !c->done ? 0 : time_before(now, end) ? end - now : 1;
	pthread_mutex_unlock(&c->lock);
	return (long)left;
}

/* --- threads --- */

static struct task_struct first_task;
__thread struct task_struct *shim_current = &first_task;

static void *run_thread(void *data)
{
	shim_current = data;
	shim_current->function(shim_current->data);
	return NULL;
}

struct task_struct *shim_thread(int (*function)(void *data), void *data)
{
	struct task_struct *task = calloc(1, sizeof(*task));

	if (!task)
		abort();
	task->function = function;
	task->data = data;
	return task;
}

int wake_up_process(struct task_struct *task)
{
	if (pthread_create(&task->thread, NULL, run_thread, task))
		abort();
	return 1;
}

bool kthread_should_stop(void)
{
	return __atomic_load_n(&current->stop, __ATOMIC_ACQUIRE);
}

int kthread_stop_put(struct task_struct *task)
{
	__atomic_store_n(&task->stop, 1, __ATOMIC_RELEASE);
	pthread_join(task->thread, NULL);
	free(task);
	return 0;
}

/* --- work: one lock for all, one thread for each queue --- */

static pthread_mutex_t work_lock = PTHREAD_MUTEX_INITIALIZER;

struct workqueue_struct {
	struct list_head works;
	pthread_cond_t changed;
	pthread_t thread;
	bool running, end;
};

/* The next one that is due; *@end is when the first of the others will be. */
static struct work_struct *next_work(struct workqueue_struct *wq, unsigned long *end)
{
	struct work_struct *work;
	unsigned long now = jiffies;

	*end = now + 3600 * HZ;
	list_for_each_entry(work, &wq->works, link) {
		if (!work->delayed || time_after_eq(now, work->when))
			return work;
		if (time_before(work->when, *end))
			*end = work->when;
	}
	return NULL;
}

static void run_work(struct workqueue_struct *wq, struct work_struct *work)
{
	list_del_init(&work->link);
	work->pending = false;
	wq->running = true;
	pthread_mutex_unlock(&work_lock);
	work->function(work);
	pthread_mutex_lock(&work_lock);
	wq->running = false;
	pthread_cond_broadcast(&wq->changed);
}

static void *work_thread(void *data)
{
	struct workqueue_struct *wq = data;
	struct work_struct *work;
	unsigned long end;

	pthread_mutex_lock(&work_lock);
	while (!wq->end) {
		work = next_work(wq, &end);
		if (work)
			run_work(wq, work);
		else
			wait_on(&wq->changed, &work_lock, end);
	}
	pthread_mutex_unlock(&work_lock);
	return NULL;
}

struct workqueue_struct *shim_workqueue(void)
{
	struct workqueue_struct *wq = calloc(1, sizeof(*wq));

	if (!wq)
		abort();
	INIT_LIST_HEAD(&wq->works);
	init_cond(&wq->changed);
	if (pthread_create(&wq->thread, NULL, work_thread, wq))
		abort();
	return wq;
}

/* As in the kernel, what has a time to wait for is not waited for. */
void flush_workqueue(struct workqueue_struct *wq)
{
	unsigned long end;

	pthread_mutex_lock(&work_lock);
	while (wq->running || next_work(wq, &end))
		pthread_cond_wait(&wq->changed, &work_lock);
	pthread_mutex_unlock(&work_lock);
}

void destroy_workqueue(struct workqueue_struct *wq)
{
	pthread_mutex_lock(&work_lock);
	wq->end = true;
	pthread_cond_broadcast(&wq->changed);
	pthread_mutex_unlock(&work_lock);
	pthread_join(wq->thread, NULL);
	free(wq);
}

static bool set_work(struct workqueue_struct *wq, struct work_struct *work, bool delayed,
		     unsigned long when)
{
	bool was_pending = work->pending;

	if (was_pending)
		list_del_init(&work->link);
	work->pending = true;
	work->delayed = delayed;
	work->when = when;
	list_add_tail(&work->link, &wq->works);
	pthread_cond_broadcast(&wq->changed);
	return was_pending;
}

bool queue_work(struct workqueue_struct *wq, struct work_struct *work)
{
	bool queued = false;

	pthread_mutex_lock(&work_lock);
	if (!work->pending)
		queued = !set_work(wq, work, false, 0);
	pthread_mutex_unlock(&work_lock);
	return queued;
}

bool mod_delayed_work(struct workqueue_struct *wq, struct delayed_work *work, unsigned long delay)
{
	bool was_pending;

	pthread_mutex_lock(&work_lock);
	was_pending = set_work(wq, &work->work, delay != 0, jiffies + delay);
	pthread_mutex_unlock(&work_lock);
	return was_pending;
}

bool cancel_delayed_work(struct delayed_work *work)
{
	bool was_pending;

	pthread_mutex_lock(&work_lock);
	was_pending = work->work.pending;
	if (was_pending)
		list_del_init(&work->work.link);
	work->work.pending = false;
	pthread_mutex_unlock(&work_lock);
	return was_pending;
}

bool delayed_work_pending(struct delayed_work *work)
{
	bool pending;

	pthread_mutex_lock(&work_lock);
	pending = work->work.pending;
	pthread_mutex_unlock(&work_lock);
	return pending;
}

/* --- xarray: a sorted array --- */

void shim_xa_init(struct xarray *xa)
{
	pthread_mutexattr_t attr;

	pthread_mutexattr_init(&attr);
	pthread_mutexattr_settype(&attr, PTHREAD_MUTEX_RECURSIVE);
	pthread_mutex_init(&xa->xa_lock, &attr);
	pthread_mutexattr_destroy(&attr);
	xa->entry = NULL;
	xa->nr = 0;
}

void xa_destroy(struct xarray *xa)
{
	free(xa->entry);
	shim_xa_init(xa);
}

/* The first entry at or past an id. */
static size_t search(const struct xarray *xa, unsigned long id)
{
	size_t i = 0;

	while (i < xa->nr && xa->entry[i].id < id)
		i++;
	return i;
}

static struct shim_entry *find(const struct xarray *xa, unsigned long id)
{
	size_t i = search(xa, id);

	return i < xa->nr && xa->entry[i].id == id ? &xa->entry[i] : NULL;
}

static void insert(struct xarray *xa, unsigned long id, void *p)
{
	size_t i = search(xa, id);

	xa->entry = realloc(xa->entry, (xa->nr + 1) * sizeof(*xa->entry));
	if (!xa->entry)
		abort();
	memmove(xa->entry + i + 1, xa->entry + i, (xa->nr - i) * sizeof(*xa->entry));
	xa->entry[i] = (struct shim_entry) { .id = id, .p = p };
	xa->nr++;
}

static bool find_free(const struct xarray *xa, u32 from, u32 max, u32 *id)
{
	unsigned long at;

	for (at = from; at <= max; at++) {
		if (!find(xa, at)) {
			*id = (u32)at;
			return true;
		}
	}
	return false;
}

int xa_alloc_cyclic(struct xarray *xa, u32 *id, void *p, struct xa_limit limit, u32 *next,
		    gfp_t gfp)
{
	int ret = 0;

	(void)gfp;
	xa_lock(xa);
	if (!find_free(xa, max(limit.min, *next), limit.max, id)) {
		ret = 1;
		if (!find_free(xa, limit.min, limit.max, id))
			ret = -EBUSY;
	}
	if (ret >= 0) {
		insert(xa, *id, p);
		*next = *id + 1;
	}
	xa_unlock(xa);
	return ret;
}

void __xa_store(struct xarray *xa, unsigned long id, void *p, gfp_t gfp)
{
	struct shim_entry *entry = find(xa, id);

	(void)gfp;
	if (entry)
		entry->p = p;
	else
		insert(xa, id, p);
}

void __xa_erase(struct xarray *xa, unsigned long id)
{
	struct shim_entry *entry = find(xa, id);
	size_t after;

	if (!entry)
		return;
	after = xa->nr - (size_t)(entry - xa->entry) - 1;
	memmove(entry, entry + 1, after * sizeof(*entry));
	xa->nr--;
}

/* Only what was reserved and never stored. */
void xa_release(struct xarray *xa, unsigned long id)
{
	struct shim_entry *entry;

	xa_lock(xa);
	entry = find(xa, id);
	if (entry && !entry->p)
		__xa_erase(xa, id);
	xa_unlock(xa);
}

void __xa_set_mark(struct xarray *xa, unsigned long id, int mark)
{
	struct shim_entry *entry = find(xa, id);

	if (entry && entry->p)
		entry->marked = mark;
}

void __xa_clear_mark(struct xarray *xa, unsigned long id, int mark)
{
	struct shim_entry *entry = find(xa, id);

	(void)mark;
	if (entry)
		entry->marked = false;
}

void *xa_load(struct xarray *xa, unsigned long id)
{
	struct shim_entry *entry;
	void *p;

	xa_lock(xa);
	entry = find(xa, id);
	p = entry ? entry->p : NULL;
	xa_unlock(xa);
	return p;
}

void *xa_find(struct xarray *xa, unsigned long *id, unsigned long last, int mark)
{
	void *p = NULL;
	size_t i;

	xa_lock(xa);
	for (i = search(xa, *id); i < xa->nr && xa->entry[i].id <= last && !p; i++) {
		if (xa->entry[i].p && (!mark || xa->entry[i].marked)) {
			*id = xa->entry[i].id;
			p = xa->entry[i].p;
		}
	}
	xa_unlock(xa);
	return p;
}

bool shim_xa_marked(struct xarray *xa)
{
	unsigned long id = 0;

	return xa_find(xa, &id, ULONG_MAX, XA_MARK_1);
}

bool xa_empty(struct xarray *xa)
{
	bool empty;

	xa_lock(xa);
	empty = xa->nr == 0;
	xa_unlock(xa);
	return empty;
}

/* --- files --- */

static pthread_mutex_t fd_lock = PTHREAD_MUTEX_INITIALIZER;
static struct file reserved, *fds[64];

struct file *shim_file(const struct file_operations *fops, void *data)
{
	struct file *file = malloc(sizeof(*file));

	if (!file)
		abort();
	file->f_op = fops;
	file->private_data = data;
	return file;
}

void fput(struct file *file)
{
	file->f_op->release(NULL, file);
	free(file);
}

int get_unused_fd_flags(unsigned int flags)
{
	int fd;

	(void)flags;
	pthread_mutex_lock(&fd_lock);
	for (fd = 0; fd < 64 && fds[fd]; fd++)
		;
	if (fd < 64)
		fds[fd] = &reserved;
	pthread_mutex_unlock(&fd_lock);
	return fd < 64 ? fd : -EMFILE;
}

static struct file *set_fd(unsigned int fd, struct file *file)
{
	struct file *old;

	pthread_mutex_lock(&fd_lock);
	old = fds[fd];
	fds[fd] = file;
	pthread_mutex_unlock(&fd_lock);
	return old;
}

void put_unused_fd(unsigned int fd)
{
	set_fd(fd, NULL);
}

void fd_install(unsigned int fd, struct file *file)
{
	set_fd(fd, file);
}

int close_fd(unsigned int fd)
{
	struct file *file = set_fd(fd, NULL);

	if (!file)
		return -EBADF;
	fput(file);
	return 0;
}
