// SPDX-License-Identifier: GPL-2.0-only
#include "kernel.h"

#include <stdio.h>
#include <string.h>

#include "table.h"

/** kernel_has_type - whether a file system type is registered */
bool kernel_has_type(const char *type)
{
	FILE *in = fopen("/proc/filesystems", "re");
	char line[128];
	bool found = false;
	char *name;

	if (!in)
		return false;
	while (!found && fgets(line, sizeof(line), in)) {
		line[strcspn(line, "\n")] = '\0';
		name = strchr(line, '\t');
		found = name && !strcmp(name + 1, type);
	}
	fclose(in);
	return found;
}

/** kernel_daemon - whether a daemon serves the cache now */
enum kernel_daemon kernel_daemon(void)
{
	enum kernel_daemon result = KERNEL_NO_MODULE;
	const char *daemon;
	struct table cache;

	if (!table_load(&cache, "/proc/fs/cachefiles_od/cache")) {
		daemon = table_find(&cache, "daemon");
		result = daemon && !strcmp(daemon, "bound") ? KERNEL_DAEMON_BOUND :
			KERNEL_DAEMON_GONE;
	}
	table_free(&cache);
	return result;
}
