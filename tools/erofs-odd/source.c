// SPDX-License-Identifier: GPL-2.0-only
#include "source.h"

#include <errno.h>
#include <fcntl.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <unistd.h>

#include "http.h"
#include "name.h"

static bool is_url(const char *where)
{
	return !strncasecmp(where, "http://", 7) || !strncasecmp(where, "https://", 8);
}

static void free_one(struct source *source)
{
	if (source->dirfd >= 0)
		close(source->dirfd);
	free(source->where);
	free(source->shown);
	free(source);
}

static int source_setup(struct source *source, const char *where)
{
	source->where = strdup(where);
	source->shown = url_redact(where);
	if (!source->where || !source->shown)
		return -ENOMEM;
	if (is_url(where)) {
		source->ops = &source_http_ops;
		return 0;
	}
	if (strstr(where, "://"))
		return -EPROTONOSUPPORT;
	source->ops = &source_dir_ops;
	source->dirfd = open(where, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	return source->dirfd < 0 ? -errno : 0;
}

/**
 * source_add - add a source to the end of a list
 * @list: the list
 * @where: a folder, or an http:// or https:// URL
 *
 * Return: 0 or a negative errno
 */
int source_add(struct source **list, const char *where)
{
	struct source *source = calloc(1, sizeof(*source));
	int err;

	if (!source)
		return -ENOMEM;
	source->dirfd = -1;
	err = source_setup(source, where);
	if (err) {
		free_one(source);
		return err;
	}
	while (*list)
		list = &(*list)->next;
	*list = source;
	return 0;
}

void source_free(struct source *list)
{
	struct source *next;

	for (; list; list = next) {
		next = list->next;
		free_one(list);
	}
}

/**
 * source_lookup - find a blob in the first source that has it
 * @list: sources, in the order to try
 * @fetcher: the caller's
 * @name: a checked blob name, which @file goes on to use
 * @file: set on success; close with its source's ops
 *
 * A blob is called missing only if every source said so: where one of them
 * failed, that failure is the answer, for it may be the one with the blob.
 *
 * Return: 0, -ENOENT, -ECANCELED or the errno of the first failure
 */
int source_lookup(struct source *list, struct fetcher *fetcher, const char *name,
		  struct source_file *file)
{
	char why[sizeof(fetcher->why)] = "";
	int err, first = 0;

	for (; list; list = list->next) {
		memset(file, 0, sizeof(*file));
		file->fd = -1;
		file->name = name;
		err = list->ops->open(list, fetcher, name, file);
		if (!err) {
			file->source = list;
			return 0;
		}
		if (err == -ECANCELED)
			return err;
		if (err != -ENOENT && !first) {
			first = err;
			memcpy(why, fetcher->why, sizeof(why));
		}
	}
	if (!first)
		return fetcher_fail(fetcher, -ENOENT, "no source has it");
	memcpy(fetcher->why, why, sizeof(why));
	return first;
}

int fetcher_init(struct fetcher *fetcher, const struct fetch_options *options,
		 const atomic_bool *stop)
{
	memset(fetcher, 0, sizeof(*fetcher));
	fetcher->options = options;
	fetcher->stop = stop;
	fetcher->curl = http_handle_new();
	return fetcher->curl ? 0 : -ENOMEM;
}

void fetcher_exit(struct fetcher *fetcher)
{
	http_handle_free(fetcher->curl);
}

/** fetcher_canceled - is the present request to be given up? */
bool fetcher_canceled(const struct fetcher *fetcher)
{
	return atomic_load(fetcher->stop) || (fetcher->cancel && atomic_load(fetcher->cancel));
}

/** fetcher_fail - note why a request failed; returns @err */
int fetcher_fail(struct fetcher *fetcher, int err, const char *fmt, ...)
{
	va_list args;

	va_start(args, fmt);
	vsnprintf(fetcher->why, sizeof(fetcher->why), fmt, args);
	va_end(args);
	return err;
}
