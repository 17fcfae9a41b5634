// SPDX-License-Identifier: GPL-2.0-only
#include "auth.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define SECRET_MAX	(16U << 10)

/* Reads a file without trailing blanks; log lines show only its name. */
static int read_secret(const char *path, char *text)
{
	int fd = open(path, O_RDONLY | O_CLOEXEC | O_NOCTTY | O_NONBLOCK);
	ssize_t n;

	if (fd < 0)
		return -errno;
	n = read(fd, text, SECRET_MAX);
	close(fd);
	if (n < 0)
		return -errno;
	if (!n)
		return -ENODATA;
	if (n == SECRET_MAX)
		return -EFBIG;
	while (n && strchr(" \t\r\n", text[n - 1]))
		n--;
	text[n] = '\0';
	return strlen(text) == (size_t)n ? 0 : -EINVAL;
}

/* Reads a one-line secret; it must not smuggle in another header field. */
static int read_line(const char *path, char *text)
{
	int err = read_secret(path, text);

	return !err && (!*text || strpbrk(text, "\r\n")) ? -EINVAL : err;
}

static int add_field(struct curl_slist **fields, const char *field)
{
	struct curl_slist *longer = curl_slist_append(*fields, field);

	if (!longer)
		return -ENOMEM;
	*fields = longer;
	return 0;
}

/* Parses lines of "Name: value"; skips empty ones and those that begin with '#'. */
static int add_fields(struct curl_slist **fields, char *text)
{
	char *line, *save = NULL;
	int err = 0;

	for (line = strtok_r(text, "\r\n", &save); line && !err;
	     line = strtok_r(NULL, "\r\n", &save)) {
		if (*line != '#')
			err = strchr(line, ':') ? add_field(fields, line) : -EINVAL;
	}
	return err;
}

static int apply_file(const char *path, char *text, CURL *curl, const struct auth *auth,
		      struct curl_slist **fields)
{
	int err;

	if (path == auth->header) {
		err = read_secret(path, text);
		return err ? err : add_fields(fields, text);
	}
	err = read_line(path, text);
	if (err)
		return err;
	if (path == auth->user)
		return curl_easy_setopt(curl, CURLOPT_USERPWD, text) ? -ENOMEM : 0;
	curl_easy_setopt(curl, CURLOPT_HTTPAUTH, CURLAUTH_BEARER);
	return curl_easy_setopt(curl, CURLOPT_XOAUTH2_BEARER, text) ? -ENOMEM : 0;
}

/**
 * auth_apply - add credentials to a request
 * @auth: the source's
 * @fetcher: gets the reason of a failure
 * @curl: the request
 * @fields: header fields are added here
 *
 * Return: 0 or a negative errno; a missing file may be back at the next try
 */
int auth_apply(const struct auth *auth, struct fetcher *fetcher, CURL *curl,
	       struct curl_slist **fields)
{
	const char *paths[] = { auth->token, auth->user, auth->header };
	char *text = malloc(SECRET_MAX);
	int err = text ? 0 : -ENOMEM;
	size_t i;

	for (i = 0; i < 3 && !err; i++) {
		if (!paths[i])
			continue;
		err = apply_file(paths[i], text, curl, auth, fields);
		if (err)
			fetcher_fail_for_now(fetcher, -EACCES, "credentials in %s: %s", paths[i],
					     strerror(-err));
	}
	if (text)
		explicit_bzero(text, SECRET_MAX);
	free(text);
	if (auth->netrc) {
		curl_easy_setopt(curl, CURLOPT_NETRC, (long)CURL_NETRC_OPTIONAL);
		curl_easy_setopt(curl, CURLOPT_NETRC_FILE, auth->netrc);
	}
	if (auth->cert)
		curl_easy_setopt(curl, CURLOPT_SSLCERT, auth->cert);
	if (auth->key)
		curl_easy_setopt(curl, CURLOPT_SSLKEY, auth->key);
	return err ? -EACCES : 0;
}

/**
 * auth_check - check that an unprivileged process can read each file
 * @auth: the source's
 * @why: gets which file cannot be read, and why
 * @size: bytes of @why
 *
 * Return: 0 or a negative errno
 */
int auth_check(const struct auth *auth, char *why, size_t size)
{
	const char *paths[] = { auth->token, auth->user, auth->header, auth->netrc, auth->cert,
				auth->key };
	size_t i;
	int fd, err;

	for (i = 0; i < sizeof(paths) / sizeof(paths[0]); i++) {
		if (!paths[i])
			continue;
		fd = open(paths[i], O_RDONLY | O_CLOEXEC | O_NOCTTY | O_NONBLOCK);
		err = fd < 0 ? -errno : 0;
		if (fd >= 0)
			close(fd);
		if (!err)
			continue;
		snprintf(why, size, "%s: %s", paths[i], strerror(-err));
		return err;
	}
	return 0;
}

void auth_free(struct auth *auth)
{
	free(auth->token);
	free(auth->header);
	free(auth->user);
	free(auth->netrc);
	free(auth->cert);
	free(auth->key);
	memset(auth, 0, sizeof(*auth));
}
