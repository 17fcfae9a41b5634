/* SPDX-License-Identifier: GPL-2.0-only */
/* Parses /proc/PID/fdinfo/FD of the cache's device. */
#ifndef OD_FDINFO_H
#define OD_FDINFO_H

#include <stdio.h>

unsigned long fdinfo_cache(FILE *in);

#endif
