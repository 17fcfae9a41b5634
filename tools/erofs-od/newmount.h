/* SPDX-License-Identifier: GPL-2.0-only */
/* Mounting option by option, so that their number does not matter: fsconfig(2). */
#ifndef OD_NEWMOUNT_H
#define OD_NEWMOUNT_H

#include "options.h"

int newmount(const char *source, const char *dir, const char *type,
	     const struct mount_options *options);

#endif
