// SPDX-License-Identifier: GPL-2.0-only
#include "source.h"

#include <ctype.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <unistd.h>

#include "name.h"

#define SHA256_DIGITS	64

static bool is_url(const char *where)
{
	return !strncasecmp(where, "http://", 7) || !strncasecmp(where, "https://", 8);
}

static void free_one(struct source *source)
{
	if (source->dirfd >= 0)
		close(source->dirfd);
	if (source->where)
		explicit_bzero(source->where, strlen(source->where));
	free(source->where);
	free(source->shown);
	auth_free(&source->auth);
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
 * @where: a directory, or an http:// or https:// URL
 *
 * Return: 0 or a negative errno
 */
int source_add(struct source **list, const char *where)
{
	struct source *source;
	int err, count = 0;

	for (; *list; list = &(*list)->next)
		count++;
	if (count == SOURCES_MAX)
		return -E2BIG;
	source = calloc(1, sizeof(*source));
	if (!source)
		return -ENOMEM;
	source->index = count;
	source->dirfd = -1;
	err = source_setup(source, where);
	if (err) {
		free_one(source);
		return err;
	}
	*list = source;
	return 0;
}

/**
 * source_add_from_file - same, with a URL that is not on the command line
 * @list: the list
 * @path: a file with one line
 *
 * Return: 0 or a negative errno
 */
int source_add_from_file(struct source **list, const char *path)
{
	FILE *in = fopen(path, "re");
	char *line = NULL;
	size_t size = 0;
	int err = -ENODATA;

	if (!in)
		return -errno;
	if (getline(&line, &size, in) > 0) {
		line[strcspn(line, "\r\n")] = '\0';
		err = *line ? source_add(list, line) : -ENODATA;
		explicit_bzero(line, size);
	}
	free(line);
	fclose(in);
	return err;
}

/** source_last - the source that was added last, or NULL */
struct source *source_last(struct source *list)
{
	while (list && list->next)
		list = list->next;
	return list;
}

/*
 * "sha256:" or "sha256-" and 64 digits, or only the digits: registries name blobs by content,
 * so equal names have equal bytes.
 */
static bool is_digest(const char *name)
{
	size_t i;

	if (!strncmp(name, "sha256", 6) && (name[6] == ':' || name[6] == '-'))
		name += 7;
	for (i = 0; i < SHA256_DIGITS; i++)
		if (!isxdigit((unsigned char)name[i]))
			return false;
	return !name[i];
}

/** source_is_mirrored - whether blobs of equal name and size are the same at all sources */
bool source_is_mirrored(const struct fetcher *fetcher, const char *name)
{
	return fetcher->options->mirrors || is_digest(name);
}

void source_free(struct source *list)
{
	struct source *next;

	for (; list; list = next) {
		next = list->next;
		free_one(list);
	}
}
