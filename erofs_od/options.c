// SPDX-License-Identifier: GPL-2.0-only
/* Parsing and showing mount options. */
#include "internal.h"

#include <linux/fs_parser.h>
#include <linux/seq_file.h>
#include <linux/slab.h>

enum option {
	OPT_FSID,
	OPT_DOMAIN_ID,
	OPT_CACHE,
	OPT_DEVICE,
	OPT_TIMEOUT,
	OPT_USER_XATTR,
	OPT_ACL,
	OPT_SHARE,
	OPT_CACHE_STRATEGY,
	OPT_FSOFFSET,
	OPT_DIRECTIO,
	OPT_DAX,
};

static const struct fs_parameter_spec option_specs[] = {
	fsparam_string("fsid", OPT_FSID),
	fsparam_string("domain_id", OPT_DOMAIN_ID),
	fsparam_string("cache", OPT_CACHE),
	fsparam_string("device", OPT_DEVICE),
	fsparam_string("timeout", OPT_TIMEOUT),
	fsparam_flag_no("user_xattr", OPT_USER_XATTR),
	fsparam_flag_no("acl", OPT_ACL),
	fsparam_string("share", OPT_SHARE),
	fsparam_string("cache_strategy", OPT_CACHE_STRATEGY),
	fsparam_string("fsoffset", OPT_FSOFFSET),
	fsparam_flag("directio", OPT_DIRECTIO),
	fsparam_flag("dax", OPT_DAX),
	fsparam_string("dax", OPT_DAX),
	{ }
};

/* Device IDs have 16 bits. */
#define DEVICES_MAX	U16_MAX

static void take_string(char **to, struct fs_parameter *param)
{
	kfree(*to);
	*to = param->string;
	param->string = NULL;
}

static int add_device(struct erofs_od_sb_info *sbi, struct fs_parameter *param)
{
	char **devices;

	if (sbi->nr_devices == DEVICES_MAX)
		return -E2BIG;
	devices = krealloc(sbi->devices, (sbi->nr_devices + 1) * sizeof(*devices), GFP_KERNEL);
	if (!devices)
		return -ENOMEM;
	sbi->devices = devices;
	devices[sbi->nr_devices] = NULL;
	take_string(&devices[sbi->nr_devices++], param);
	return 0;
}

/* Milliseconds, 0 for the default, or "none". */
static int parse_timeout(struct fs_context *fc, const char *text, unsigned int *ms)
{
	if (!strcmp(text, "none")) {
		*ms = CACHEFILES_OD_TIMEOUT_NONE;
		return 0;
	}
	if (kstrtouint(text, 0, ms))
		return invalf(fc, "erofs_od: timeout=%s: must be milliseconds or \"none\"", text);
	/* The highest values are reserved; 49 days are as good as no limit. */
	if (*ms >= CACHEFILES_OD_TIMEOUT_METADATA)
		*ms = CACHEFILES_OD_TIMEOUT_NONE;
	return 0;
}

static int parse_share(struct fs_context *fc, const char *text, bool *share)
{
	*share = !strcmp(text, "on");
	if (!*share && strcmp(text, "off"))
		return invalf(fc, "erofs_od: share=%s: must be \"on\" or \"off\"", text);
	return 0;
}

/* Not fsparam_u64(): some kernels do not export fs_param_is_u64(). */
static int parse_offset(struct fs_context *fc, const char *text, u64 *offset)
{
	if (kstrtou64(text, 0, offset))
		return invalf(fc, "erofs_od: fsoffset=%s: must be a number of bytes", text);
	return 0;
}

/**
 * erofs_od_parse_param - parse one mount option
 * @fc: mount context
 * @param: the option
 */
int erofs_od_parse_param(struct fs_context *fc, struct fs_parameter *param)
{
	struct erofs_od_sb_info *sbi = fc->s_fs_info;
	struct fs_parse_result result;
	int opt = fs_parse(fc, option_specs, param, &result);

	if (opt < 0)
		return opt;
	switch (opt) {
	case OPT_FSID:
		take_string(&sbi->fsid, param);
		return 0;
	case OPT_DOMAIN_ID:
		take_string(&sbi->domain_id, param);
		return 0;
	case OPT_CACHE:
		take_string(&sbi->cache_tag, param);
		return 0;
	case OPT_DEVICE:
		return add_device(sbi, param);
	case OPT_TIMEOUT:
		return parse_timeout(fc, param->string, &sbi->timeout_ms);
	case OPT_USER_XATTR:
		sbi->user_xattr = !result.negated;
		return 0;
	case OPT_ACL:
		sbi->acl = !result.negated;
		return 0;
	case OPT_SHARE:
		return parse_share(fc, param->string, &sbi->share);
	case OPT_FSOFFSET:
		return parse_offset(fc, param->string, &sbi->fsoffset);
	case OPT_DIRECTIO:
		sbi->directio = true;
		return 0;
	case OPT_DAX:
		/* Rejected with any value, like the kernel's own without CONFIG_FS_DAX. */
		return invalf(fc, "erofs_od: DAX is not supported");
	default:
		/* cache_strategy= is accepted and has no effect. */
		return 0;
	}
}

/**
 * erofs_od_check_options - check that the options of a mount are compatible
 * @fc: mount context
 *
 * Return: 0 or -EINVAL
 */
int erofs_od_check_options(struct fs_context *fc)
{
	const struct erofs_od_sb_info *sbi = fc->s_fs_info;
	const char *cached = sbi->domain_id ? "domain_id" : sbi->cache_tag ? "cache" :
			     sbi->timeout_ms ? "timeout" : sbi->share ? "share" : NULL;
	const char *local = sbi->fsoffset ? "fsoffset" : sbi->directio ? "directio" : NULL;

	if (sbi->fsid && local)
		return invalf(fc, "erofs_od: %s: not supported with fsid=", local);
	if (!sbi->fsid && cached)
		return invalf(fc, "erofs_od: %s= requires fsid=", cached);
	if (!sbi->fsid && !fc->source)
		return invalf(fc, "erofs_od: fsid=, a file or a block device required");
	return 0;
}

/**
 * erofs_od_free_options - free the options of a mount
 * @sbi: mount
 */
void erofs_od_free_options(struct erofs_od_sb_info *sbi)
{
	while (sbi->nr_devices)
		kfree(sbi->devices[--sbi->nr_devices]);
	kfree(sbi->devices);
	kfree(sbi->cache_tag);
	kfree(sbi->domain_id);
	kfree(sbi->source);
	kfree(sbi->fsid);
}

/**
 * erofs_od_show_options - print options for /proc/mounts
 * @seq: output
 * @root: root directory
 */
int erofs_od_show_options(struct seq_file *seq, struct dentry *root)
{
	struct erofs_od_sb_info *sbi = EROFS_OD_SB(root->d_sb);
	unsigned int i;

	if (sbi->fsid)
		seq_show_option(seq, "fsid", sbi->fsid);
	if (sbi->domain_id)
		seq_show_option(seq, "domain_id", sbi->domain_id);
	if (sbi->cache_tag)
		seq_show_option(seq, "cache", sbi->cache_tag);
	for (i = 0; i < sbi->nr_devices; i++)
		seq_show_option(seq, "device", sbi->devices[i]);
	if (sbi->timeout_ms == CACHEFILES_OD_TIMEOUT_NONE)
		seq_puts(seq, ",timeout=none");
	else if (sbi->timeout_ms != CACHEFILES_OD_TIMEOUT_DEFAULT)
		seq_printf(seq, ",timeout=%u", sbi->timeout_ms);
	if (sbi->share)
		seq_puts(seq, ",share=on");
	if (sbi->fsoffset)
		seq_printf(seq, ",fsoffset=%llu", sbi->fsoffset);
	if (sbi->directio)
		seq_puts(seq, ",directio");
	seq_puts(seq, sbi->user_xattr ? ",user_xattr" : ",nouser_xattr");
	seq_puts(seq, sbi->acl ? ",acl" : ",noacl");
	return 0;
}
