// SPDX-License-Identifier: GPL-2.0-only
/* Replaces notify.c where libsystemd is not available. */
#include "notify.h"

int notify_stored_fd(void)
{
	return -1;
}

void notify_store_fd(int fd)
{
	(void)fd;
}

void notify_ready(void)
{
}

void notify_stopping(void)
{
}

unsigned int notify_watchdog_ms(void)
{
	return 0;
}

void notify_alive(void)
{
}
