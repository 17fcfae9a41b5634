// SPDX-License-Identifier: GPL-2.0-only
#include "options.h"

#include <errno.h>
#include <libmount.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/**
 * option_value_ok - whether a string can be the value of a mount option
 * @value: e.g. a blob name
 *
 * A comma starts another option and cannot be quoted.
 */
bool option_value_ok(const char *value)
{
	const unsigned char *p = (const unsigned char *)value;

	for (; *p; p++)
		if (*p == ',' || *p < 0x20 || *p == 0x7f)
			return false;
	return *value != '\0';
}

static int append(struct mount_options *options, const char *text)
{
	char *data;

	if (asprintf(&data, "%s%s%s", options->data ? options->data : "",
		     options->data ? "," : "", text) < 0)
		return -ENOMEM;
	free(options->data);
	options->data = data;
	return 0;
}

/**
 * options_add - append NAME=VALUE for the file system
 * @options: starts as zeroes
 * @name: of the option
 * @value: any string
 *
 * Return: 0; -EINVAL for an invalid value; -ENOMEM
 */
int options_add(struct mount_options *options, const char *name, const char *value)
{
	char *text;
	int err;

	if (!option_value_ok(value))
		return -EINVAL;
	if (asprintf(&text, "%s=%s", name, value) < 0)
		return -ENOMEM;
	err = append(options, text);
	free(text);
	return err;
}

/**
 * options_add_string - append the argument of -o
 * @options: starts as zeroes
 * @string: e.g. "nodev,noacl": flags of mount(2) become flags, options that only
 *	mount(8) uses (noauto, x-...) are dropped, others go to the file system
 *
 * Return: 0 or a negative errno
 */
int options_add_string(struct mount_options *options, const char *string)
{
	char *vfs = NULL, *fs = NULL;
	unsigned long flags = 0;
	int err;

	err = mnt_split_optstr(string, NULL, &vfs, &fs, 0, 0);
	if (!err && vfs)
		err = mnt_optstr_get_flags(vfs, &flags, mnt_get_builtin_optmap(MNT_LINUX_MAP));
	if (!err && fs)
		err = append(options, fs);
	options->flags |= flags;
	free(vfs);
	free(fs);
	return err;
}
