// SPDX-License-Identifier: GPL-2.0-only
/* Module parameters, their derived values, and the workqueues. */
#include "internal.h"

#include <linux/jiffies.h>
#include <linux/log2.h>
#include <linux/module.h>

#define WINDOW_KIB_MIN	(OD_READ_ALIGN >> 10)
#define WINDOW_KIB_MAX	(CACHEFILES_OD_READ_MAX >> 10)

static unsigned int window_kib = 1024;

static int window_kib_set(const char *val, const struct kernel_param *kp)
{
	unsigned int kib;
	int err = kstrtouint(val, 0, &kib);

	if (err)
		return err;
	if (kib < WINDOW_KIB_MIN || kib > WINDOW_KIB_MAX || !is_power_of_2(kib)) {
		pr_err("window_kib=%u: must be a power of two from %u to %u\n",
		       kib, WINDOW_KIB_MIN, WINDOW_KIB_MAX);
		return -EINVAL;
	}
	WRITE_ONCE(window_kib, kib);
	return 0;
}

static const struct kernel_param_ops window_kib_ops = {
	.set = window_kib_set,
	.get = param_get_uint,
};
module_param_cb(window_kib, &window_kib_ops, &window_kib, 0644);
MODULE_PARM_DESC(window_kib, "KiB that one READ may be widened to, a power of two (4 to 2048)");

static unsigned int timeout_ms;
module_param(timeout_ms, uint, 0644);
MODULE_PARM_DESC(timeout_ms, "time limit for the daemon's replies, in ms (0: none)");

static unsigned int metadata_timeout_ms = 60000;
module_param(metadata_timeout_ms, uint, 0644);
MODULE_PARM_DESC(metadata_timeout_ms,
		 "the same for metadata where nothing else sets one, in ms (0: none)");

static unsigned int commit_ms = 5000;
module_param(commit_ms, uint, 0644);
MODULE_PARM_DESC(commit_ms, "longest time until filled data is committed, in ms");

static unsigned int commit_mib = 64;
module_param(commit_mib, uint, 0644);
MODULE_PARM_DESC(commit_mib, "MiB filled into one blob that are committed at once (0: no limit)");

/* Reads that sleep, and completions that must not run in interrupt context; readahead needs it. */
struct workqueue_struct *cachefiles_od_wq;
/* Deadlines only, so that nothing that sleeps delays them. */
struct workqueue_struct *cachefiles_od_deadline_wq;
/* Commits, which block on the disk. */
struct workqueue_struct *cachefiles_od_commit_wq;
/* Storing maps: tasks that hold a commit_mutex, including commits, wait for this. */
struct workqueue_struct *cachefiles_od_map_wq;

int cachefiles_od_params_init(void)
{
	cachefiles_od_wq = alloc_workqueue("cachefiles_od", WQ_UNBOUND | WQ_MEM_RECLAIM, 0);
	cachefiles_od_deadline_wq = alloc_workqueue("cachefiles_od_deadlines",
						    WQ_UNBOUND | WQ_MEM_RECLAIM, 1);
	/* One work item per cache: a disk that hangs delays only its own commits. */
	cachefiles_od_commit_wq = alloc_workqueue("cachefiles_od_commit",
						  WQ_UNBOUND | WQ_MEM_RECLAIM, 0);
	cachefiles_od_map_wq = alloc_workqueue("cachefiles_od_maps",
					       WQ_UNBOUND | WQ_MEM_RECLAIM, 0);
	if (cachefiles_od_wq && cachefiles_od_deadline_wq && cachefiles_od_commit_wq &&
	    cachefiles_od_map_wq)
		return 0;
	cachefiles_od_params_exit();
	return -ENOMEM;
}

void cachefiles_od_params_exit(void)
{
	if (cachefiles_od_map_wq)
		destroy_workqueue(cachefiles_od_map_wq);
	if (cachefiles_od_commit_wq)
		destroy_workqueue(cachefiles_od_commit_wq);
	if (cachefiles_od_deadline_wq)
		destroy_workqueue(cachefiles_od_deadline_wq);
	if (cachefiles_od_wq)
		destroy_workqueue(cachefiles_od_wq);
}

/* Resolves a caller's deadline: milliseconds, 0 for none. */
unsigned int cachefiles_od_timeout_ms(unsigned int timeout)
{
	switch (timeout) {
	case CACHEFILES_OD_TIMEOUT_NONE:
		return 0;
	case CACHEFILES_OD_TIMEOUT_DEFAULT:
		return READ_ONCE(timeout_ms);
	case CACHEFILES_OD_TIMEOUT_METADATA:
		return READ_ONCE(timeout_ms) ?: READ_ONCE(metadata_timeout_ms);
	default:
		return timeout;
	}
}

/* End of a wait with that timeout, in jiffies; 0 for never. */
unsigned long cachefiles_od_deadline(unsigned int timeout)
{
	unsigned int ms = cachefiles_od_timeout_ms(timeout);

	/* 0 means never, so avoid it as a deadline. */
	return ms ? (jiffies + msecs_to_jiffies(ms)) | 1 : 0;
}

u64 cachefiles_od_window(void)
{
	return (u64)READ_ONCE(window_kib) << 10;
}

unsigned int cachefiles_od_commit_ms(void)
{
	return READ_ONCE(commit_ms);
}

u64 cachefiles_od_commit_bytes(void)
{
	return (u64)READ_ONCE(commit_mib) << 20 ?: U64_MAX;
}
