// SPDX-License-Identifier: GPL-2.0-only
/*
 * The devices: a daemon configures a cache, binds it and exchanges requests. Each device has
 * one daemon at a time, and is independent of the others.
 */
#include "internal.h"

#include <linux/capability.h>
#include <linux/miscdevice.h>
#include <linux/module.h>
#include <linux/namei.h>
#include <linux/poll.h>
#include <linux/seq_file.h>
#include <linux/slab.h>
#include <linux/uaccess.h>

static char *devname = "cachefiles";
module_param(devname, charp, 0444);
MODULE_PARM_DESC(devname, "name of the device under /dev");

#define DEVICES_MAX	16

static unsigned int devices = 1;
module_param(devices, uint, 0444);
MODULE_PARM_DESC(devices, "devices, for a daemon and a cache each: NAME, NAME1, NAME2, ... (1 to 16)");

/**
 * struct cachefiles_od_device - a device
 * @misc: its registration
 * @opened: bit 0 is set while it is open: it has one opener at a time
 */
struct cachefiles_od_device {
	struct miscdevice misc;
	unsigned long opened;
};

static struct cachefiles_od_device cachefiles_od_devices[DEVICES_MAX];

/**
 * struct cachefiles_od_daemon - the holder of a device
 * @device: the device
 * @mutex: protects @config and the creation of @cache
 * @config: what was configured so far
 * @cache: the cache, once bound; set once
 */
struct cachefiles_od_daemon {
	struct cachefiles_od_device *device;
	struct mutex mutex;
	struct cachefiles_od_config config;
	struct cachefiles_od_cache *cache;
};

static int device_open(struct inode *inode, struct file *file)
{
	static const struct od_limit default_limit = OD_LIMIT_DEFAULT;
	struct cachefiles_od_device *device;
	struct cachefiles_od_daemon *daemon;

	if (!capable(CAP_SYS_ADMIN))
		return -EPERM;
	/* The misc driver stores the miscdevice there. */
	device = container_of(file->private_data, struct cachefiles_od_device, misc);
	if (test_and_set_bit(0, &device->opened))
		return -EBUSY;
	daemon = kzalloc(sizeof(*daemon), GFP_KERNEL);
	if (!daemon) {
		clear_bit(0, &device->opened);
		return -ENOMEM;
	}
	daemon->device = device;
	mutex_init(&daemon->mutex);
	daemon->config.blocks = default_limit;
	daemon->config.files = default_limit;
	file->private_data = daemon;
	return stream_open(inode, file);
}

/* The last holder has closed the device: requests without a reply fail now. */
static int device_release(struct inode *inode, struct file *file)
{
	struct cachefiles_od_daemon *daemon = file->private_data;
	struct cachefiles_od_device *device = daemon->device;

	if (daemon->cache)
		cachefiles_od_cache_unbind(daemon->cache);
	kfree(daemon->config.dir);
	kfree(daemon->config.tag);
	kfree(daemon->config.secctx);
	mutex_destroy(&daemon->mutex);
	kfree(daemon);
	clear_bit(0, &device->opened);
	return 0;
}

static struct cachefiles_od_cache *daemon_cache(struct cachefiles_od_daemon *daemon)
{
	/* Pairs with the release in cmd_bind(). */
	return smp_load_acquire(&daemon->cache);
}

static ssize_t device_read(struct file *file, char __user *buf, size_t len, loff_t *pos)
{
	struct cachefiles_od_cache *cache = daemon_cache(file->private_data);

	return cache ? cachefiles_od_queue_fetch(cache, buf, len) : 0;
}

static __poll_t device_poll(struct file *file, struct poll_table_struct *wait)
{
	struct cachefiles_od_cache *cache;
	__poll_t mask = 0;

	/* First, so that a cache bound after the check below finds the poller. */
	cachefiles_od_request_poll_wait(file, wait);
	cache = daemon_cache(file->private_data);
	if (!cache)
		return 0;
	if (cachefiles_od_request_any_ready(&cache->queue))
		mask |= EPOLLIN;
	if (cachefiles_od_room_culling(cache))
		mask |= EPOLLOUT;
	return mask;
}

/* In /proc/PID/fdinfo: the ID of this daemon's row in the table of caches. */
static void device_show_fdinfo(struct seq_file *m, struct file *file)
{
	struct cachefiles_od_cache *cache = daemon_cache(file->private_data);

	if (cache)
		seq_printf(m, "cache:\t%u\n", cache->id);
}

static int set_string(char **where, const char *arg, int twice)
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

static int cmd_bind(struct cachefiles_od_daemon *daemon, const char *arg)
{
	struct cachefiles_od_cache *cache;

	if (strcmp(arg, "ondemand") != 0) {
		pr_err("bind%s%s: only \"bind ondemand\" is supported; plain mode requires the stock cachefiles module\n",
		       *arg ? " " : "", arg);
		return *arg ? -EINVAL : -EOPNOTSUPP;
	}
	if (!daemon->config.dir) {
		pr_err("bind: no cache directory set\n");
		return -EINVAL;
	}
	cache = cachefiles_od_cache_bind(&daemon->config, daemon->device - cachefiles_od_devices);
	if (IS_ERR(cache))
		return PTR_ERR(cache);
	/* Pairs with the acquire in daemon_cache(). */
	smp_store_release(&daemon->cache, cache);
	return 0;
}

/* Commands that are legal before the cache is live, and only then. */
static int configure(struct cachefiles_od_daemon *daemon, const struct od_command *cmd)
{
	struct cachefiles_od_config *config = &daemon->config;

	switch (cmd->id) {
	case OD_CMD_DIR:
		return set_string(&config->dir, cmd->arg, -EEXIST);
	case OD_CMD_TAG:
		return set_string(&config->tag, cmd->arg, -EEXIST);
	case OD_CMD_SECCTX:
		return set_string(&config->secctx, cmd->arg, -EINVAL);
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
		return cmd_bind(daemon, cmd->arg);
	default:
		return -EOPNOTSUPP;
	}
}

static int cmd_copen(struct cachefiles_od_cache *cache, char *arg)
{
	struct od_copen copen;
	int bad = od_command_copen(arg, &copen), err;

	if (bad < 0)
		return bad;
	err = cachefiles_od_object_copen(&cache->queue, &copen);
	return err ?: bad ? -EINVAL : 0;
}

/* READs may be wider than what is wanted, now or once the cache is live. */
static int cmd_wide(struct cachefiles_od_daemon *daemon)
{
	mutex_lock(&daemon->mutex);
	daemon->config.wide = true;
	if (daemon->cache)
		WRITE_ONCE(daemon->cache->queue.wide, true);
	mutex_unlock(&daemon->mutex);
	return 0;
}

/* Removals that were deferred are announced, now or once the cache is live. */
static int cmd_events(struct cachefiles_od_daemon *daemon)
{
	mutex_lock(&daemon->mutex);
	daemon->config.events = true;
	if (daemon->cache)
		WRITE_ONCE(daemon->cache->queue.events, true);
	mutex_unlock(&daemon->mutex);
	return 0;
}

static int dispatch(struct cachefiles_od_daemon *daemon, const struct od_command *cmd)
{
	struct cachefiles_od_cache *cache = daemon_cache(daemon);
	int err;

	switch (cmd->id) {
	case OD_CMD_DEBUG:
		return 0;
	case OD_CMD_COPEN:
		return cache ? cmd_copen(cache, cmd->arg) : -EINVAL;
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
		return cmd_wide(daemon);
	case OD_CMD_EVENTS:
		return cmd_events(daemon);
	default:
		mutex_lock(&daemon->mutex);
		if (!daemon->cache)
			err = configure(daemon, cmd);
		else
			err = cmd->id == OD_CMD_DIR || cmd->id == OD_CMD_TAG ? -EEXIST :
			      cmd->id == OD_CMD_SECCTX ? -EINVAL : -EBUSY;
		mutex_unlock(&daemon->mutex);
		return err;
	}
}

static ssize_t device_write(struct file *file, const char __user *buf, size_t len, loff_t *pos)
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
		err = dispatch(file->private_data, &cmd);
	kfree(text);
	return err ?: len;
}

static const struct file_operations cachefiles_od_dev_fops = {
	.owner		= THIS_MODULE,
	.open		= device_open,
	.release	= device_release,
	.read		= device_read,
	.write		= device_write,
	.poll		= device_poll,
	.llseek		= noop_llseek,
	.show_fdinfo	= device_show_fdinfo,
};

/*
 * Registering a name twice makes sysfs print a stack trace, so look first. A
 * race with another module only costs that trace.
 */
static bool name_is_taken(const char *name)
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

static int register_device(struct cachefiles_od_device *device, unsigned int number)
{
	char *name = number ? kasprintf(GFP_KERNEL, "%s%u", devname, number) :
			      kstrdup(devname, GFP_KERNEL);
	int err;

	if (!name)
		return -ENOMEM;
	if (name_is_taken(name)) {
		pr_err("/dev/%s: name already in use, probably by the stock cachefiles module: unload it, or set devname=\n",
		       name);
		kfree(name);
		return -EBUSY;
	}
	device->misc = (struct miscdevice) {
		.minor	= MISC_DYNAMIC_MINOR,
		.fops	= &cachefiles_od_dev_fops,
		.mode	= 0600,
		.name	= name,
	};
	err = misc_register(&device->misc);
	if (err) {
		pr_err("/dev/%s: failed to register: %d\n", name, err);
		kfree(name);
	}
	return err;
}

static void unregister_devices(unsigned int count)
{
	while (count--) {
		misc_deregister(&cachefiles_od_devices[count].misc);
		kfree(cachefiles_od_devices[count].misc.name);
	}
}

int cachefiles_od_dev_register(void)
{
	unsigned int i;
	int err;

	if (!*devname || strchr(devname, '/')) {
		pr_err("devname=%s: invalid device name\n", devname);
		return -EINVAL;
	}
	if (devices < 1 || devices > DEVICES_MAX) {
		pr_err("devices=%u: must be from 1 to %u\n", devices, DEVICES_MAX);
		return -EINVAL;
	}
	for (i = 0; i < devices; i++) {
		err = register_device(&cachefiles_od_devices[i], i);
		if (err) {
			unregister_devices(i);
			return err;
		}
	}
	return 0;
}

void cachefiles_od_dev_unregister(void)
{
	unregister_devices(devices);
}
