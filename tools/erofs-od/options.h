/* SPDX-License-Identifier: GPL-2.0-only */
/* Mount options, as the kernel expects them. */
#ifndef OD_OPTIONS_H
#define OD_OPTIONS_H

#include <stdbool.h>
#include <stddef.h>

/**
 * struct mount_options - the options of one mount
 * @flags: of mount(2)
 * @data: option string of the file system; free it
 */
struct mount_options {
	unsigned long flags;
	char *data;
};

bool option_value_ok(const char *value);
int options_add(struct mount_options *options, const char *name, const char *value);
int options_add_string(struct mount_options *options, const char *string);

#endif
