// SPDX-License-Identifier: GPL-2.0-only
/* Module init and exit. */
#include "internal.h"
#include "stats.h"

#include <linux/module.h>

static int __init cachefiles_od_init(void)
{
	int err = cachefiles_od_refs_init();

	if (err)
		return err;
	err = cachefiles_od_params_init();
	if (err)
		goto exit_refs;
	err = cachefiles_od_sync_register();
	if (err)
		goto exit_params;
	err = cachefiles_od_stats_register();
	if (err)
		goto unregister_sync;
	err = cachefiles_od_dev_register();
	if (err)
		goto unregister_stats;
	return 0;

unregister_stats:
	cachefiles_od_stats_unregister();
unregister_sync:
	cachefiles_od_sync_unregister();
exit_params:
	cachefiles_od_params_exit();
exit_refs:
	cachefiles_od_refs_exit();
	return err;
}

static void __exit cachefiles_od_exit(void)
{
	/* Volumes and open devices pin the module: no cache is left. */
	cachefiles_od_dev_unregister();
	cachefiles_od_stats_unregister();
	cachefiles_od_sync_unregister();
	cachefiles_od_fillbuf_exit();
	cachefiles_od_params_exit();
	/* All queued work has put its cookies. */
	cachefiles_od_refs_exit();
}

module_init(cachefiles_od_init);
module_exit(cachefiles_od_exit);
MODULE_DESCRIPTION("Cache of blobs that a user daemon fills on demand");
MODULE_AUTHOR("The erofs-od authors");
MODULE_LICENSE("GPL");
MODULE_VERSION("0.1.0");
