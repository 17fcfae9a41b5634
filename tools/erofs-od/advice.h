/* SPDX-License-Identifier: GPL-2.0-only */
/* Commands that can be typed as they stand, for this very machine. */
#ifndef OD_ADVICE_H
#define OD_ADVICE_H

#include "machine.h"

char *advice_build(const struct machine *machine);
char *advice_load(void);
char *advice_reload(const struct machine *machine);
char *advice_serve(const struct machine *machine, const char *cache);
char *advice_root(void);

#endif
