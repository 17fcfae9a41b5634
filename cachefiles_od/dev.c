// SPDX-License-Identifier: GPL-2.0-only
/* The device: a daemon configures a cache, goes live and talks about requests. */
#include "internal.h"

#include <linux/capability.h>
#include <linux/miscdevice.h>
#include <linux/module.h>
#include <linux/namei.h>
#include <linux/poll.h>
#include <linux/slab.h>
#include <linux/uaccess.h>

static char *devname = "cachefiles";
module_param(devname, charp, 0444);
MODULE_PARM_DESC(devname, "name of the device under /dev");

/**
 * struct cachefiles_od_daemon - the holder of the device
 * @mutex: guards @config and the making of @cache
 * @config: what was asked for so far
 * @cache: the cache, once live; set once
 */
struct cachefiles_od_daemon {
	struct mutex mutex;
	struct cachefiles_od_config config;
	struct cachefiles_od_cache *cache;
};

/* One opener at a time; bit 0 is set while there is one. */
static unsigned long cachefiles_od_opened;

static int cachefiles_od_dev_open(struct inode *inode, struct file *file)
{
	static const struct od_limit default_limit = OD_LIMIT_DEFAULT;
	struct cachefiles_od_daemon *daemon;

	if (!capable(CAP_SYS_ADMIN))
		return -EPERM;
	if (test_and_set_bit(0, &cachefiles_od_opened))
		return -EBUSY;
	daemon = kzalloc(sizeof(*daemon), GFP_KERNEL);
	if (!daemon) {
		clear_bit(0, &cachefiles_od_opened);
		return -ENOMEM;
	}
	mutex_init(&daemon->mutex);
	daemon->config.blocks = default_limit;
	daemon->config.files = default_limit;
	file->private_data = daemon;
	return stream_open(inode, file);
}

/* The last holder has closed the device: requests without a reply fail now. */
static int cachefiles_od_dev_release(struct inode *inode, struct file *file)
{
	struct cachefiles_od_daemon *daemon = file->private_data;

	if (daemon->cache)
		cachefiles_od_cache_unbind(daemon->cache);
	kfree(daemon->config.dir);
	kfree(daemon->config.tag);
	kfree(daemon->config.secctx);
	mutex_destroy(&daemon->mutex);
	kfree(daemon);
	clear_bit(0, &cachefiles_od_opened);
	return 0;
}

static struct cachefiles_od_cache *cachefiles_od_daemon_cache(struct cachefiles_od_daemon *daemon)
{
	/* Pairs with the release in cachefiles_od_cmd_bind(). */
	return smp_load_acquire(&daemon->cache);
}

static ssize_t cachefiles_od_dev_read(struct file *file, char __user *buf, size_t len, loff_t *pos)
{
	struct cachefiles_od_cache *cache = cachefiles_od_daemon_cache(file->private_data);

	return cache ? cachefiles_od_queue_fetch(cache, buf, len) : 0;
}

static __poll_t cachefiles_od_dev_poll(struct file *file, struct poll_table_struct *wait)
{
	struct cachefiles_od_cache *cache;
	__poll_t mask = 0;

	/* First of all: a cache that is bound after the look at it finds who waits. */
	cachefiles_od_request_poll_wait(file, wait);
	cache = cachefiles_od_daemon_cache(file->private_data);
	if (!cache)
		return 0;
	if (cachefiles_od_request_any_ready(&cache->queue))
		mask |= EPOLLIN;
	if (cachefiles_od_room_culling(cache))
		mask |= EPOLLOUT;
	return mask;
}

static int cachefiles_od_set_string(char **where, const char *arg, int twice)
{
	char *copy;

	if (!*arg)
		return -EINVAL;
	if (*where)
		return twice;
	copy = kstrdup(arg, GFP_KERNEL);
	if (!copy)
		return -ENOMEM;
	*where = copy;
	return 0;
}

static int cachefiles_od_cmd_bind(struct cachefiles_od_daemon *daemon, const char *arg)
{
	struct cachefiles_od_cache *cache;

	if (strcmp(arg, "ondemand") != 0) {
		pr_err("bind%s%s: only \"bind ondemand\" is served here; the plain mode is the stock cachefiles module's\n",
		       *arg ? " " : "", arg);
		return *arg ? -EINVAL : -EOPNOTSUPP;
	}
	if (!daemon->config.dir) {
		pr_err("bind: no cache directory was set\n");
		return -EINVAL;
	}
	cache = cachefiles_od_cache_bind(&daemon->config);
	if (IS_ERR(cache))
		return PTR_ERR(cache);
	/* Pairs with the acquire in cachefiles_od_daemon_cache(). */
	smp_store_release(&daemon->cache, cache);
	return 0;
}

/* Commands that are legal before the cache is live, and only then. */
static int cachefiles_od_configure(struct cachefiles_od_daemon *daemon,
				   const struct od_command *cmd)
{
	struct cachefiles_od_config *config = &daemon->config;

	switch (cmd->id) {
	case OD_CMD_DIR:
		return cachefiles_od_set_string(&config->dir, cmd->arg, -EEXIST);
	case OD_CMD_TAG:
		return cachefiles_od_set_string(&config->tag, cmd->arg, -EEXIST);
	case OD_CMD_SECCTX:
		return cachefiles_od_set_string(&config->secctx, cmd->arg, -EINVAL);
	case OD_CMD_BRUN:
		return od_command_percent(cmd->arg, &config->blocks.run);
	case OD_CMD_BCULL:
		return od_command_percent(cmd->arg, &config->blocks.cull);
	case OD_CMD_BSTOP:
		return od_command_percent(cmd->arg, &config->blocks.stop);
	case OD_CMD_FRUN:
		return od_command_percent(cmd->arg, &config->files.run);
	case OD_CMD_FCULL:
		return od_command_percent(cmd->arg, &config->files.cull);
	case OD_CMD_FSTOP:
		return od_command_percent(cmd->arg, &config->files.stop);
	case OD_CMD_BIND:
		return cachefiles_od_cmd_bind(daemon, cmd->arg);
	default:
		return -EOPNOTSUPP;
	}
}

static int cachefiles_od_cmd_copen(struct cachefiles_od_cache *cache, char *arg)
{
	struct od_copen copen;
	int bad = od_command_copen(arg, &copen), err;

	if (bad < 0)
		return bad;
	err = cachefiles_od_object_copen(&cache->queue, &copen);
	return err ?: bad ? -EINVAL : 0;
}

/* READs may be wider than what is wanted, now or once the cache is live. */
static int cachefiles_od_cmd_wide(struct cachefiles_od_daemon *daemon)
{
	mutex_lock(&daemon->mutex);
	daemon->config.wide = true;
	if (daemon->cache)
		WRITE_ONCE(daemon->cache->queue.wide, true);
	mutex_unlock(&daemon->mutex);
	return 0;
}

/* Removals that were deferred are announced, now or once the cache is live. */
static int cachefiles_od_cmd_events(struct cachefiles_od_daemon *daemon)
{
	mutex_lock(&daemon->mutex);
	daemon->config.events = true;
	if (daemon->cache)
		WRITE_ONCE(daemon->cache->queue.events, true);
	mutex_unlock(&daemon->mutex);
	return 0;
}

static int cachefiles_od_dispatch(struct cachefiles_od_daemon *daemon,
				  const struct od_command *cmd)
{
	struct cachefiles_od_cache *cache = cachefiles_od_daemon_cache(daemon);
	int err;

	switch (cmd->id) {
	case OD_CMD_DEBUG:
		return 0;
	case OD_CMD_COPEN:
		return cache ? cachefiles_od_cmd_copen(cache, cmd->arg) : -EINVAL;
	case OD_CMD_RESTORE:
		if (!cache)
			return -EINVAL;
		cachefiles_od_queue_restore(&cache->queue);
		return 0;
	case OD_CMD_CULL:
	case OD_CMD_CULL_DEFERRED:
	case OD_CMD_PUNCH:
	case OD_CMD_INUSE:
	case OD_CMD_COMMIT:
		return cache ? cachefiles_od_name_command(cache, cmd) : -EINVAL;
	case OD_CMD_WIDE:
		return cachefiles_od_cmd_wide(daemon);
	case OD_CMD_EVENTS:
		return cachefiles_od_cmd_events(daemon);
	default:
		mutex_lock(&daemon->mutex);
		if (!daemon->cache)
			err = cachefiles_od_configure(daemon, cmd);
		else
			err = cmd->id == OD_CMD_DIR || cmd->id == OD_CMD_TAG ? -EEXIST :
			      cmd->id == OD_CMD_SECCTX ? -EINVAL : -EBUSY;
		mutex_unlock(&daemon->mutex);
		return err;
	}
}

static ssize_t cachefiles_od_dev_write(struct file *file, const char __user *buf, size_t len,
				       loff_t *pos)
{
	struct od_command cmd;
	char *text;
	int err;

	if (len > CACHEFILES_OD_CMD_MAX)
		return -EOPNOTSUPP;
	text = memdup_user_nul(buf, len);
	if (IS_ERR(text))
		return PTR_ERR(text);
	err = od_command_parse(text, len, &cmd);
	if (!err)
		err = cachefiles_od_dispatch(file->private_data, &cmd);
	kfree(text);
	return err ?: len;
}

static const struct file_operations cachefiles_od_dev_fops = {
	.owner		= THIS_MODULE,
	.open		= cachefiles_od_dev_open,
	.release	= cachefiles_od_dev_release,
	.read		= cachefiles_od_dev_read,
	.write		= cachefiles_od_dev_write,
	.poll		= cachefiles_od_dev_poll,
	.llseek		= noop_llseek,
};

static struct miscdevice cachefiles_od_misc = {
	.minor	= MISC_DYNAMIC_MINOR,
	.fops	= &cachefiles_od_dev_fops,
	.mode	= 0600,
};

/*
 * Registering a name twice makes sysfs print a stack trace, so look first. A
 * race with another module only costs that trace.
 */
static bool cachefiles_od_name_is_taken(const char *name)
{
	char *file = kasprintf(GFP_KERNEL, "/sys/class/misc/%s", name);
	struct path path;
	bool taken;

	if (!file)
		return false;
	taken = kern_path(file, 0, &path) == 0;
	if (taken)
		path_put(&path);
	kfree(file);
	return taken;
}

int cachefiles_od_dev_register(void)
{
	int err;

	if (!*devname || strchr(devname, '/')) {
		pr_err("devname=%s: not a name for a device\n", devname);
		return -EINVAL;
	}
	if (cachefiles_od_name_is_taken(devname)) {
		pr_err("/dev/%s is taken, by the stock cachefiles module most likely: unload that one, or load this one with devname=\n",
		       devname);
		return -EBUSY;
	}
	cachefiles_od_misc.name = devname;
	err = misc_register(&cachefiles_od_misc);
	if (err)
		pr_err("/dev/%s cannot be registered: %d\n", devname, err);
	return err;
}

void cachefiles_od_dev_unregister(void)
{
	misc_deregister(&cachefiles_od_misc);
}
