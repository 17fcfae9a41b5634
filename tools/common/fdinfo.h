/* SPDX-License-Identifier: GPL-2.0-only */
/* What /proc/PID/fdinfo/FD tells of the cache's device. */
#ifndef OD_FDINFO_H
#define OD_FDINFO_H

#include <stdio.h>

unsigned long fdinfo_cache(FILE *in);

#endif
