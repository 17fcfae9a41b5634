/* SPDX-License-Identifier: GPL-2.0-only */
/* Remedies: shell commands that can be run on this host as they are. */
#ifndef OD_ADVICE_H
#define OD_ADVICE_H

#include "host.h"

char *advice_build(const struct host *host);
char *advice_load(void);
char *advice_reload(const struct host *host);
char *advice_serve(const struct host *host, const char *cache);
char *advice_root(void);

#endif
