// SPDX-License-Identifier: GPL-2.0-only
/*
 * /proc/fs/cachefiles_od/control: the commands on a name in a cache, for an operator while the
 * daemon holds the device. The working directory selects the cache.
 */
#include "internal.h"

#include <linux/proc_fs.h>
#include <linux/slab.h>
#include <linux/uaccess.h>

static int run(char *text, size_t len)
{
	struct cachefiles_od_cache *cache;
	struct od_command cmd;
	unsigned int id = 0;
	int err = od_command_parse(text, len, &cmd);

	if (err)
		return err;
	err = -ENOTCONN;
	while ((cache = cachefiles_od_cache_get_after(id))) {
		id = cache->id;
		err = cachefiles_od_name_command(cache, &cmd);
		cachefiles_od_cache_put(cache);
		/* -EINVAL: the name is not in this cache. */
		if (err != -EINVAL)
			break;
	}
	return err;
}

static ssize_t control_write(struct file *file, const char __user *buf, size_t len, loff_t *pos)
{
	char *text;
	int err;

	if (len > CACHEFILES_OD_CMD_MAX)
		return -EOPNOTSUPP;
	text = memdup_user_nul(buf, len);
	if (IS_ERR(text))
		return PTR_ERR(text);
	err = run(text, len);
	kfree(text);
	return err ?: len;
}

const struct proc_ops cachefiles_od_control_ops = {
	.proc_write	= control_write,
	.proc_lseek	= noop_llseek,
};
