/* SPDX-License-Identifier: GPL-2.0-only */
/* Mounting with fsconfig(2), option by option, so that their number is not limited. */
#ifndef OD_NEWMOUNT_H
#define OD_NEWMOUNT_H

#include "options.h"

int newmount(const char *source, const char *dir, const char *type,
	     const struct mount_options *options);

#endif
