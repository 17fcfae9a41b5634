/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * As much of the kernel as cachefiles_od's request.c, wait.c, object.c and queue.c
 * and their tests use, in user space: threads are POSIX threads, each lock is a mutex,
 * a jiffy is a millisecond. tests/unit/Makefile creates a <linux/...> header that
 * includes this for each that those files include.
 */
#ifndef SHIM_KERNEL_H
#define SHIM_KERNEL_H

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <pthread.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/mman.h>
#include <sys/types.h>
#include <unistd.h>

#include <linux/gfp.h>

#include "od/types.h"

/* --- language --- */

#define __user
#define __acquires(lock)
#define __releases(lock)
#define __must_hold(lock)
#define container_of(p, type, member)	((type *)((char *)(p) - offsetof(type, member)))
#define lockdep_assert_held(lock)	((void)(lock))
#define READ_ONCE(x)		__atomic_load_n(&(x), __ATOMIC_RELAXED)
#define WRITE_ONCE(x, v)	__atomic_store_n(&(x), v, __ATOMIC_RELAXED)
#define smp_load_acquire(p)	__atomic_load_n(p, __ATOMIC_ACQUIRE)
#define smp_store_release(p, v)	__atomic_store_n(p, v, __ATOMIC_RELEASE)
#define xchg(p, v)		__atomic_exchange_n(p, v, __ATOMIC_SEQ_CST)
#define cmpxchg(p, old, new)						\
	({								\
		__typeof__(*(p)) shim_old = (old);			\
									\
		__atomic_compare_exchange_n(p, &shim_old, new, false,	\
					    __ATOMIC_SEQ_CST, __ATOMIC_SEQ_CST);	\
		shim_old;						\
	})

#define MAX_ERRNO	4095
#define ERR_PTR(err)	((void *)(long)(err))
#define PTR_ERR(p)	((long)(p))
#define IS_ERR(p)	((unsigned long)(p) >= (unsigned long)-MAX_ERRNO)
#define PTR_ERR_OR_ZERO(p)	(IS_ERR(p) ? (int)PTR_ERR(p) : 0)

#define pr_err(...)	printf("# " __VA_ARGS__)
#define pr_warn(...)	pr_err(__VA_ARGS__)
struct ratelimit_state { int interval; };
#define __ratelimit(state)	((void)(state), 1)

/* --- memory --- */

#define PAGE_SIZE	4096
#define kfree(p)	free(p)
#define strscpy(to, from, size)	snprintf(to, size, "%s", from)

static inline void *kzalloc(size_t size, gfp_t gfp)
{
	(void)gfp;
	return calloc(1, size);
}

static inline void *kmalloc(size_t size, gfp_t gfp)
{
	(void)gfp;
	return malloc(size);
}

/* Address 0 is nobody's. */
#define copy_to_user(to, from, n)	((to) ? (memcpy(to, from, n), 0) : (n))
#define copy_from_user(to, from, n)	(memcpy(to, from, n), 0)

/* --- atomics and references --- */

typedef struct { int v; } atomic_t;
typedef struct { long v; } atomic64_t;
typedef atomic_t refcount_t;

#define atomic_read(a)		__atomic_load_n(&(a)->v, __ATOMIC_RELAXED)
#define atomic_read_acquire(a)	__atomic_load_n(&(a)->v, __ATOMIC_ACQUIRE)
#define atomic_set(a, i)	__atomic_store_n(&(a)->v, i, __ATOMIC_RELAXED)
#define atomic_inc(a)		((void)__atomic_add_fetch(&(a)->v, 1, __ATOMIC_SEQ_CST))
#define atomic_dec(a)		((void)__atomic_sub_fetch(&(a)->v, 1, __ATOMIC_SEQ_CST))
#define atomic_inc_return_release(a)	((void)__atomic_add_fetch(&(a)->v, 1, __ATOMIC_RELEASE))
#define atomic64_inc(a)		atomic_inc(a)
#define atomic64_add(n, a)	((void)__atomic_add_fetch(&(a)->v, (n), __ATOMIC_SEQ_CST))
#define atomic64_read(a)	atomic_read(a)

static inline bool atomic_inc_not_zero(atomic_t *a)
{
	int v = atomic_read(a);

	while (v && !__atomic_compare_exchange_n(&a->v, &v, v + 1, false, __ATOMIC_SEQ_CST,
						 __ATOMIC_SEQ_CST))
		;
	return v != 0;
}

struct kref {
	atomic_t refs;
};

#define kref_init(k)	atomic_set(&(k)->refs, 1)
#define kref_get(k)	atomic_inc(&(k)->refs)
#define kref_read(k)	atomic_read(&(k)->refs)

static inline int kref_put(struct kref *k, void (*release)(struct kref *k))
{
	if (__atomic_sub_fetch(&k->refs.v, 1, __ATOMIC_ACQ_REL))
		return 0;
	release(k);
	return 1;
}

/* --- lists --- */

struct list_head {
	struct list_head *next, *prev;
};

/* Nothing that is built with the shim looks entries up: hash tables are a part of their structs. */
struct hlist_node {
	struct hlist_node *next, **pprev;
};

#define LIST_HEAD(name)	struct list_head name = { &name, &name }

static inline void INIT_LIST_HEAD(struct list_head *list)
{
	list->next = list;
	list->prev = list;
}

static inline bool list_empty(const struct list_head *list)
{
	return list->next == list;
}

static inline void list_add_tail(struct list_head *entry, struct list_head *head)
{
	entry->next = head;
	entry->prev = head->prev;
	head->prev->next = entry;
	head->prev = entry;
}

static inline void list_del_init(struct list_head *entry)
{
	entry->next->prev = entry->prev;
	entry->prev->next = entry->next;
	INIT_LIST_HEAD(entry);
}

static inline void list_move_tail(struct list_head *entry, struct list_head *head)
{
	list_del_init(entry);
	list_add_tail(entry, head);
}

static inline void list_splice_tail_init(struct list_head *list, struct list_head *head)
{
	while (!list_empty(list))
		list_move_tail(list->next, head);
}

#define list_entry(p, type, member)	container_of(p, type, member)
#define list_for_each_entry(pos, head, member)						\
	for (pos = list_entry((head)->next, __typeof__(*pos), member);			\
	     &pos->member != (head);							\
	     pos = list_entry(pos->member.next, __typeof__(*pos), member))
#define list_for_each_entry_safe(pos, n, head, member)					\
	for (pos = list_entry((head)->next, __typeof__(*pos), member),			\
	     n = list_entry(pos->member.next, __typeof__(*pos), member);		\
	     &pos->member != (head);							\
	     pos = n, n = list_entry(n->member.next, __typeof__(*n), member))

/* --- trees --- */

struct rb_node {
	struct rb_node *parent, *rb_left, *rb_right;
};

struct rb_root {
	struct rb_node *rb_node;
};

#define RB_ROOT			((struct rb_root) { NULL })
#define RB_EMPTY_ROOT(root)	(!(root)->rb_node)
#define RB_CLEAR_NODE(node)	((void)(node))
#define rb_entry(p, type, member)	container_of(p, type, member)
#define rb_insert_color(node, root)	((void)(node), (void)(root))

struct rb_node *rb_first(const struct rb_root *root);
struct rb_node *rb_next(const struct rb_node *node);
void rb_link_node(struct rb_node *node, struct rb_node *parent, struct rb_node **link);
void rb_erase(struct rb_node *node, struct rb_root *root);

/* --- locks, waiting, time --- */

typedef pthread_mutex_t spinlock_t;

struct mutex {
	pthread_mutex_t m;
};

/* Part of what the files share; none of those that run here takes one. */
struct rw_semaphore {
	int unused;
};
#define DEFINE_MUTEX(name)	struct mutex name = { PTHREAD_MUTEX_INITIALIZER }
#define mutex_init(x)		pthread_mutex_init(&(x)->m, NULL)
#define mutex_lock(x)		pthread_mutex_lock(&(x)->m)
#define mutex_unlock(x)		pthread_mutex_unlock(&(x)->m)
#define spin_lock_init(x)	pthread_mutex_init(x, NULL)
#define spin_lock(x)		pthread_mutex_lock(x)
#define spin_unlock(x)		pthread_mutex_unlock(x)

#define HZ		1000
#define jiffies		shim_jiffies()
#define MAX_SCHEDULE_TIMEOUT	LONG_MAX
#define msecs_to_jiffies(ms)	((unsigned long)(ms))
#define time_after(a, b)	((long)((b) - (a)) < 0)
#define time_before(a, b)	time_after(b, a)
#define time_after_eq(a, b)	((long)((a) - (b)) >= 0)
#define msleep(ms)		usleep((ms) * 1000)
#define usleep_range(from, to)	usleep(from)

unsigned long shim_jiffies(void);

typedef struct { int unused; } wait_queue_head_t;

#define init_waitqueue_head(head)	((void)(head))
#define DECLARE_WAIT_QUEUE_HEAD(head)	wait_queue_head_t head
#define poll_wait(file, head, wait)	((void)(file), (void)(head), (void)(wait))
#define wake_up_interruptible_poll(head, events)	((void)(head))
#define wake_up_all(head)	((void)(head))
/* In place of compat/wait.h. Nobody is woken: a look each millisecond does. */
#define OD_COMPAT_WAIT_H
#define od_compat_wait_event_killable(head, condition, left)			\
	({									\
		unsigned long shim_end = jiffies + min((unsigned long)(left),	\
						       100UL * 3600 * HZ);	\
										\
		(void)&(head);							\
		while (!(condition) && time_before(jiffies, shim_end))		\
			msleep(1);						\
		(condition) ? 1L : 0L;						\
	})

struct completion {
	pthread_mutex_t lock;
	pthread_cond_t cond;
	bool done;
};

void init_completion(struct completion *c);
void complete(struct completion *c);
long wait_for_completion_timeout(struct completion *c, unsigned long left);
#define wait_for_completion_killable_timeout(c, left)	wait_for_completion_timeout(c, left)

/* --- threads --- */

struct mm_struct;

struct task_struct {
	pthread_t thread;
	int (*function)(void *data);
	void *data;
	int stop;
	struct mm_struct *mm;
};

extern __thread struct task_struct *shim_current;

#define current		shim_current
#define get_task_struct(task)	(task)
#define kthread_use_mm(mm)	((void)(mm))
#define kthread_unuse_mm(mm)	((void)(mm))
#define kthread_create(function, data, name)	shim_thread(function, data)

struct task_struct *shim_thread(int (*function)(void *data), void *data);
int wake_up_process(struct task_struct *task);
bool kthread_should_stop(void);
int kthread_stop_put(struct task_struct *task);

/* --- work --- */

struct work_struct {
	struct list_head link;
	void (*function)(struct work_struct *work);
	bool pending, delayed;
	unsigned long when;
};

struct delayed_work {
	struct work_struct work;
};

struct workqueue_struct;

#define WQ_UNBOUND	0
#define WQ_MEM_RECLAIM	0
#define INIT_WORK(w, f)	(*(w) = (struct work_struct) { .function = (f) })
#define INIT_DELAYED_WORK(w, f)	INIT_WORK(&(w)->work, f)
#define to_delayed_work(w)	container_of(w, struct delayed_work, work)
#define alloc_workqueue(name, flags, max)	shim_workqueue()

struct workqueue_struct *shim_workqueue(void);
void destroy_workqueue(struct workqueue_struct *wq);
void flush_workqueue(struct workqueue_struct *wq);
bool queue_work(struct workqueue_struct *wq, struct work_struct *work);
bool mod_delayed_work(struct workqueue_struct *wq, struct delayed_work *work, unsigned long delay);
bool cancel_delayed_work(struct delayed_work *work);
bool delayed_work_pending(struct delayed_work *work);

/* --- xarray: the lock is recursive --- */

struct xa_limit {
	u32 min, max;
};

struct shim_entry {
	unsigned long id;
	void *p;
	bool marked;
};

struct xarray {
	pthread_mutex_t xa_lock;
	struct shim_entry *entry;
	size_t nr;
};

#define XA_FLAGS_ALLOC1	0
#define XA_MARK_1	1
#define XA_PRESENT	0
#define XA_LIMIT(a, b)	((struct xa_limit) { a, b })
#define xa_init_flags(xa, flags)	shim_xa_init(xa)
#define xa_marked(xa, mark)	shim_xa_marked(xa)
#define xa_lock(xa)	pthread_mutex_lock(&(xa)->xa_lock)
#define xa_unlock(xa)	pthread_mutex_unlock(&(xa)->xa_lock)
#define xa_for_each(xa, id, p)							\
	for (id = 0, p = xa_find(xa, &id, ULONG_MAX, XA_PRESENT); p;		\
	     id++, p = xa_find(xa, &id, ULONG_MAX, XA_PRESENT))

void shim_xa_init(struct xarray *xa);
void xa_destroy(struct xarray *xa);
bool xa_empty(struct xarray *xa);
int xa_alloc_cyclic(struct xarray *xa, u32 *id, void *p, struct xa_limit limit, u32 *next,
		    gfp_t gfp);
void xa_release(struct xarray *xa, unsigned long id);
void __xa_store(struct xarray *xa, unsigned long id, void *p, gfp_t gfp);
void __xa_erase(struct xarray *xa, unsigned long id);
void __xa_set_mark(struct xarray *xa, unsigned long id, int mark);
void __xa_clear_mark(struct xarray *xa, unsigned long id, int mark);
bool shim_xa_marked(struct xarray *xa);
void *xa_load(struct xarray *xa, unsigned long id);
void *xa_find(struct xarray *xa, unsigned long *id, unsigned long last, int mark);

/* --- files --- */

struct inode;
struct dentry;
struct cred;
struct file;

struct path {
	struct dentry *dentry;
};

struct kiocb {
	struct file *ki_filp;
};

struct bio_vec {
	unsigned int bv_len;
};

struct file_operations {
	void *owner;
	int (*release)(struct inode *inode, struct file *file);
};

struct file {
	const struct file_operations *f_op;
	void *private_data;
};

#define THIS_MODULE	NULL
#define anon_inode_getfile(name, fops, data, flags)	shim_file(fops, data)
#define flush_delayed_fput()	((void)0)

struct file *shim_file(const struct file_operations *fops, void *data);
void fput(struct file *file);
int get_unused_fd_flags(unsigned int flags);
void put_unused_fd(unsigned int fd);
void fd_install(unsigned int fd, struct file *file);
int close_fd(unsigned int fd);

struct kunit;
void *kunit_kzalloc(struct kunit *test, size_t size, int gfp);
#define kunit_vm_mmap(test, file, addr, len, prot, flags, off)	kunit_kzalloc(test, len, 0)

#endif /* SHIM_KERNEL_H */
