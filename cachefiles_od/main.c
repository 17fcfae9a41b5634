// SPDX-License-Identifier: GPL-2.0-only
/* The module: its parameters, its coming and going. */
#include "internal.h"

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
MODULE_PARM_DESC(timeout_ms, "how long the daemon may take to answer, in ms (0: for ever)");

struct workqueue_struct *cachefiles_od_wq;

/* A deadline as a caller gave it, resolved: milliseconds, 0 for none. */
unsigned int cachefiles_od_timeout_ms(unsigned int timeout)
{
	if (timeout == CACHEFILES_OD_TIMEOUT_NONE)
		return 0;
	return timeout == CACHEFILES_OD_TIMEOUT_DEFAULT ? READ_ONCE(timeout_ms) : timeout;
}

u64 cachefiles_od_window(void)
{
	return (u64)READ_ONCE(window_kib) << 10;
}

static int __init cachefiles_od_init(void)
{
	int err;

	cachefiles_od_wq = alloc_workqueue("cachefiles_od", WQ_UNBOUND | WQ_MEM_RECLAIM, 0);
	if (!cachefiles_od_wq)
		return -ENOMEM;
	err = cachefiles_od_stats_register();
	if (err)
		goto destroy_wq;
	err = cachefiles_od_dev_register();
	if (err)
		goto unregister_stats;
	return 0;

unregister_stats:
	cachefiles_od_stats_unregister();
destroy_wq:
	destroy_workqueue(cachefiles_od_wq);
	return err;
}

static void __exit cachefiles_od_exit(void)
{
	/* Whoever has a volume or the device open holds the module: no cache is left. */
	cachefiles_od_dev_unregister();
	cachefiles_od_stats_unregister();
	cachefiles_od_fd_exit();
	destroy_workqueue(cachefiles_od_wq);
}

module_init(cachefiles_od_init);
module_exit(cachefiles_od_exit);
MODULE_DESCRIPTION("Cache of blobs that a user daemon fills on demand");
MODULE_AUTHOR("The erofs-od authors");
MODULE_LICENSE("GPL");
MODULE_VERSION("0.1.0");
