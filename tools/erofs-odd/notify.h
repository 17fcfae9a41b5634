/* SPDX-License-Identifier: GPL-2.0-only */
/* The service manager: states, the watchdog, and the fd store. Does nothing without systemd. */
#ifndef ODD_NOTIFY_H
#define ODD_NOTIFY_H

int notify_stored_fd(void);
void notify_store_fd(int fd);
void notify_ready(void);
void notify_stopping(void);
unsigned int notify_watchdog_ms(void);
void notify_alive(void);

#endif
