/* SPDX-License-Identifier: GPL-2.0-only */
/* Counters of reads: classes of waits and of errors. */
#ifndef OD_CORE_USE_H
#define OD_CORE_USE_H

#include "od/types.h"

/** OD_USE_WAITS - classes of waits: up to 1 ms, 2 ms, 4 ms, ... and longer than all these */
#define OD_USE_WAITS	20U
/** OD_USE_ERRNOS - classes of errors; the last one is for all others */
#define OD_USE_ERRNOS	9U

/**
 * od_use_wait - class of a wait
 * @ms: its duration
 *
 * Return: the smallest n for which @ms < 1 << n, less than %OD_USE_WAITS.
 */
unsigned int od_use_wait(u64 ms);

/**
 * od_use_errno - class of an error
 * @err: negative errno
 *
 * Return: less than %OD_USE_ERRNOS.
 */
unsigned int od_use_errno(int err);

/**
 * od_use_errno_name - name of a class of errors
 * @class: less than %OD_USE_ERRNOS
 */
const char *od_use_errno_name(unsigned int class);

#endif /* OD_CORE_USE_H */
