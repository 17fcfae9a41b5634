// SPDX-License-Identifier: GPL-2.0-only
/* Mount options and the life of a mount context. */
#include "internal.h"

#include <linux/fs_parser.h>
#include <linux/seq_file.h>
#include <linux/slab.h>

enum erofs_od_param {
	EROFS_OD_FSID,
	EROFS_OD_DOMAIN_ID,
	EROFS_OD_CACHE,
	EROFS_OD_DEVICE,
	EROFS_OD_TIMEOUT,
	EROFS_OD_USER_XATTR,
	EROFS_OD_ACL,
	EROFS_OD_CACHE_STRATEGY,
};

static const struct fs_parameter_spec erofs_od_params[] = {
	fsparam_string("fsid", EROFS_OD_FSID),
	fsparam_string("domain_id", EROFS_OD_DOMAIN_ID),
	fsparam_string("cache", EROFS_OD_CACHE),
	fsparam_string("device", EROFS_OD_DEVICE),
	fsparam_string("timeout", EROFS_OD_TIMEOUT),
	fsparam_flag_no("user_xattr", EROFS_OD_USER_XATTR),
	fsparam_flag_no("acl", EROFS_OD_ACL),
	fsparam_string("cache_strategy", EROFS_OD_CACHE_STRATEGY),
	{ }
};

/* The device table has 16-bit ids. */
#define EROFS_OD_DEVICES_MAX	U16_MAX

static void erofs_od_take_string(char **to, struct fs_parameter *param)
{
	kfree(*to);
	*to = param->string;
	param->string = NULL;
}

static int erofs_od_add_device(struct erofs_od_mount *m, struct fs_parameter *param)
{
	char **devices;

	if (m->nr_devices == EROFS_OD_DEVICES_MAX)
		return -E2BIG;
	devices = krealloc(m->devices, (m->nr_devices + 1) * sizeof(*devices), GFP_KERNEL);
	if (!devices)
		return -ENOMEM;
	m->devices = devices;
	devices[m->nr_devices] = NULL;
	erofs_od_take_string(&devices[m->nr_devices++], param);
	return 0;
}

/* Milliseconds, 0 for the default, or "none". */
static int erofs_od_parse_timeout(struct fs_context *fc, const char *text, unsigned int *ms)
{
	if (!strcmp(text, "none")) {
		*ms = CACHEFILES_OD_TIMEOUT_NONE;
		return 0;
	}
	if (kstrtouint(text, 0, ms))
		return invalf(fc, "erofs_od: timeout=%s is neither \"none\" nor milliseconds", text);
	/* The topmost values are special to the cache; 49 days are as good as for ever. */
	if (*ms >= CACHEFILES_OD_TIMEOUT_METADATA)
		*ms = CACHEFILES_OD_TIMEOUT_NONE;
	return 0;
}

static int erofs_od_parse_param(struct fs_context *fc, struct fs_parameter *param)
{
	struct erofs_od_mount *m = fc->s_fs_info;
	struct fs_parse_result result;
	int opt = fs_parse(fc, erofs_od_params, param, &result);

	if (opt < 0)
		return opt;
	switch (opt) {
	case EROFS_OD_FSID:
		erofs_od_take_string(&m->fsid, param);
		return 0;
	case EROFS_OD_DOMAIN_ID:
		erofs_od_take_string(&m->domain_id, param);
		return 0;
	case EROFS_OD_CACHE:
		erofs_od_take_string(&m->cache_tag, param);
		return 0;
	case EROFS_OD_DEVICE:
		return erofs_od_add_device(m, param);
	case EROFS_OD_TIMEOUT:
		return erofs_od_parse_timeout(fc, param->string, &m->timeout_ms);
	case EROFS_OD_USER_XATTR:
		m->user_xattr = !result.negated;
		return 0;
	case EROFS_OD_ACL:
		m->acl = !result.negated;
		return 0;
	default:
		/* cache_strategy is about compressed data, of which there is none. */
		return 0;
	}
}

static bool erofs_od_same_string(const char *a, const char *b)
{
	return a && b ? !strcmp(a, b) : a == b;
}

/**
 * erofs_od_same_options - would two mounts of an image be the same?
 * @a: one
 * @b: the other
 *
 * Context: any.
 */
bool erofs_od_same_options(const struct erofs_od_mount *a, const struct erofs_od_mount *b)
{
	unsigned int i;

	if (strcmp(a->fsid, b->fsid) || !erofs_od_same_string(a->domain_id, b->domain_id) ||
	    a->nr_devices != b->nr_devices || a->timeout_ms != b->timeout_ms ||
	    a->user_xattr != b->user_xattr || a->acl != b->acl)
		return false;
	for (i = 0; i < a->nr_devices; i++)
		if (strcmp(a->devices[i], b->devices[i]))
			return false;
	return true;
}

/* A superblock that is on its way out is asked about, too: its mount may be freed. */
static int erofs_od_is_twin(struct super_block *sb, struct fs_context *fc)
{
	struct erofs_od_mount *m = fc->s_fs_info;

	return erofs_od_mount(sb) == m->twin;
}

static int erofs_od_no_new_super(struct super_block *sb, struct fs_context *fc)
{
	return -ENOENT;
}

/*
 * Shares the twin's superblock; -ENOENT: it has none, yet or any more, or what was found
 * is not like this mount: a remount has changed it, or it is another one in the memory
 * of the twin.
 */
static int erofs_od_share_super(struct fs_context *fc)
{
	struct super_block *sb = sget_fc(fc, erofs_od_is_twin, erofs_od_no_new_super);

	if (IS_ERR(sb))
		return PTR_ERR(sb);
	if (!sb->s_root || !erofs_od_same_options(fc->s_fs_info, erofs_od_mount(sb))) {
		deactivate_locked_super(sb);
		return -ENOENT;
	}
	fc->root = dget(sb->s_root);
	return 0;
}

/* A mount of what is mounted already, with the same options, shares the superblock. */
static int erofs_od_get_tree(struct fs_context *fc)
{
	struct erofs_od_mount *m = fc->s_fs_info;
	int err;

	if (!m->fsid)
		return invalf(fc, "erofs_od: mount needs fsid=");
	while ((err = erofs_od_open_image(m)) == -EALREADY) {
		err = erofs_od_share_super(fc);
		if (err != -ENOENT)
			return err;
		err = erofs_od_wait_for_twin(m);
		if (err)
			return err;
	}
	return err ?: get_tree_nodev(fc, erofs_od_fill_super);
}

/* What names the image cannot change; that it is asked for is no error. */
static int erofs_od_reconfigure(struct fs_context *fc)
{
	struct erofs_od_mount *m = erofs_od_mount(fc->root->d_sb);
	struct erofs_od_mount *wanted = fc->s_fs_info;

	m->user_xattr = wanted->user_xattr;
	m->acl = wanted->acl;
	erofs_od_set_timeout(m, wanted->timeout_ms);
	fc->sb_flags_mask |= SB_RDONLY | SB_POSIXACL;
	fc->sb_flags |= SB_RDONLY;
	fc->sb_flags &= ~SB_POSIXACL;
	if (m->acl)
		fc->sb_flags |= SB_POSIXACL;
	return 0;
}

/**
 * erofs_od_free_options - free what the options of a mount hold
 * @m: mount
 */
void erofs_od_free_options(struct erofs_od_mount *m)
{
	while (m->nr_devices)
		kfree(m->devices[--m->nr_devices]);
	kfree(m->devices);
	kfree(m->cache_tag);
	kfree(m->domain_id);
	kfree(m->fsid);
}

static void erofs_od_free_fc(struct fs_context *fc)
{
	struct erofs_od_mount *m = fc->s_fs_info;

	/* A superblock has taken it over, or it never was one. */
	if (!m)
		return;
	erofs_od_close_image(m);
	erofs_od_free_options(m);
	kfree(m);
}

static const struct fs_context_operations erofs_od_context_ops = {
	.parse_param = erofs_od_parse_param,
	.get_tree = erofs_od_get_tree,
	.reconfigure = erofs_od_reconfigure,
	.free = erofs_od_free_fc,
};

/**
 * erofs_od_init_fs_context - start a mount or a remount
 * @fc: its context
 */
int erofs_od_init_fs_context(struct fs_context *fc)
{
	struct erofs_od_mount *m = kzalloc(sizeof(*m), GFP_KERNEL);

	if (!m)
		return -ENOMEM;
	m->user_xattr = true;
	m->acl = true;
	init_waitqueue_head(&m->wait);
	if (fc->root) {
		struct erofs_od_mount *old = erofs_od_mount(fc->root->d_sb);

		m->user_xattr = old->user_xattr;
		m->acl = old->acl;
		m->timeout_ms = old->timeout_ms;
	}
	fc->s_fs_info = m;
	fc->ops = &erofs_od_context_ops;
	return 0;
}

/**
 * erofs_od_show_options - print options for /proc/mounts
 * @seq: where to
 * @root: root directory
 */
int erofs_od_show_options(struct seq_file *seq, struct dentry *root)
{
	struct erofs_od_mount *m = erofs_od_mount(root->d_sb);
	unsigned int i;

	seq_show_option(seq, "fsid", m->fsid);
	if (m->domain_id)
		seq_show_option(seq, "domain_id", m->domain_id);
	if (m->cache_tag)
		seq_show_option(seq, "cache", m->cache_tag);
	for (i = 0; i < m->nr_devices; i++)
		seq_show_option(seq, "device", m->devices[i]);
	if (m->timeout_ms == CACHEFILES_OD_TIMEOUT_NONE)
		seq_puts(seq, ",timeout=none");
	else if (m->timeout_ms != CACHEFILES_OD_TIMEOUT_DEFAULT)
		seq_printf(seq, ",timeout=%u", m->timeout_ms);
	seq_puts(seq, m->user_xattr ? ",user_xattr" : ",nouser_xattr");
	seq_puts(seq, m->acl ? ",acl" : ",noacl");
	return 0;
}
