// SPDX-License-Identifier: GPL-2.0-only
#include "notify.h"

#include <limits.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <systemd/sd-daemon.h>

#define STORE_NAME "cachefiles"

/** notify_stored_fd - get the device fd that an earlier run left in the fd store, or -1 */
int notify_stored_fd(void)
{
	char **names = NULL;
	int count = sd_listen_fds_with_names(1, &names);
	int i, fd = -1;

	for (i = 0; i < count; i++) {
		if (!strcmp(names[i], STORE_NAME))
			fd = SD_LISTEN_FDS_START + i;
		free(names[i]);
	}
	free(names);
	return fd;
}

/**
 * notify_store_fd - keep the device open after this process exits
 * @fd: the device, bound
 *
 * The manager does so only if the unit has FileDescriptorStoreMax=1.
 */
void notify_store_fd(int fd)
{
	sd_pid_notify_with_fds(0, 0, "FDSTORE=1\nFDNAME=" STORE_NAME "\nFDPOLL=0", &fd, 1);
}

void notify_ready(void)
{
	sd_notify(0, "READY=1");
}

void notify_stopping(void)
{
	sd_notify(0, "STOPPING=1");
}

/** notify_watchdog_ms - how often notify_alive() must be called; 0: never */
unsigned int notify_watchdog_ms(void)
{
	uint64_t usec;

	if (sd_watchdog_enabled(0, &usec) <= 0)
		return 0;
	return usec / 1000 < UINT_MAX ? (unsigned int)(usec / 1000) : UINT_MAX;
}

void notify_alive(void)
{
	sd_notify(0, "WATCHDOG=1");
}
