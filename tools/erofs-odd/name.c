// SPDX-License-Identifier: GPL-2.0-only
#include "name.h"

#include <errno.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/**
 * blob_name_check - convert a cookie key to a file name, if it is safe
 * @key: bytes from the kernel, without a NUL at the end
 * @len: bytes in @key
 * @name: the name, with a NUL
 *
 * A leading dot is refused: that covers ".", ".." and hidden files.
 *
 * Return: 0, -ENAMETOOLONG or -EINVAL.
 */
int blob_name_check(const uint8_t *key, size_t len, char name[static BLOB_NAME_MAX + 1])
{
	size_t i;

	if (len > BLOB_NAME_MAX)
		return -ENAMETOOLONG;
	if (!len || key[0] == '.')
		return -EINVAL;
	for (i = 0; i < len; i++) {
		if (key[i] < 0x20 || key[i] == 0x7f || key[i] == '/')
			return -EINVAL;
		name[i] = (char)key[i];
	}
	name[len] = '\0';
	return 0;
}

/**
 * name_printable - convert a name for a log line, with non-ASCII bytes as \ooo
 * @name: any string
 * @buf: gets the result, truncated to fit
 * @size: bytes of @buf, at least 1
 *
 * Return: @buf
 */
char *name_printable(const char *name, char *buf, size_t size)
{
	const unsigned char *p = (const unsigned char *)name;
	size_t used = 0;

	for (; *p && used + 4 < size; p++) {
		if (*p > 0x20 && *p < 0x7f && *p != '\\')
			buf[used++] = (char)*p;
		else
			used += (size_t)snprintf(buf + used, size - used, "\\%03o", *p);
	}
	buf[used] = '\0';
	return buf;
}

static bool is_unreserved(unsigned char c)
{
	return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') ||
	       c == '-' || c == '.' || c == '_' || c == '~';
}

/* End of the path of a URL: at its query, its fragment, or its end */
static size_t path_end(const char *url)
{
	return strcspn(url, "?#");
}

/**
 * url_join - build the URL of a blob
 * @base: URL of the directory, with or without a slash at its end; a query is moved
 *	after the blob's name, a fragment is dropped
 * @name: blob name, checked; every byte that is not unreserved is
 *	percent-encoded, so that it can neither leave the directory nor add a query
 *
 * Return: a string to free, or NULL if out of memory
 */
char *url_join(const char *base, const char *name)
{
	static const char hex[] = "0123456789ABCDEF";
	const unsigned char *p = (const unsigned char *)name;
	size_t base_len = path_end(base);
	const char *query = base + base_len;
	char *url, *out;

	while (base_len && base[base_len - 1] == '/')
		base_len--;
	url = malloc(strlen(base) + 1 + 3 * strlen(name) + 1);
	if (!url)
		return NULL;
	memcpy(url, base, base_len);
	out = url + base_len;
	*out++ = '/';
	for (; *p; p++) {
		if (is_unreserved(*p)) {
			*out++ = (char)*p;
			continue;
		}
		*out++ = '%';
		*out++ = hex[*p >> 4];
		*out++ = hex[*p & 15];
	}
	sprintf(out, "%.*s", (int)strcspn(query, "#"), query);
	return url;
}

/* Finds user name and password in a URL; returns their length without the '@', or 0 */
static size_t find_login(const char *url, const char **start)
{
	const char *host = strstr(url, "://");
	const char *at = NULL, *p;

	if (!host)
		return 0;
	host += 3;
	for (p = host; *p && *p != '/' && *p != '?' && *p != '#'; p++)
		if (*p == '@')
			at = p;
	*start = host;
	return at ? (size_t)(at - host) : 0;
}

/**
 * url_redact - copy a URL for the log, without user name, password, query and fragment
 * @url: any URL, or a path
 *
 * Return: a string to free, or NULL if out of memory
 */
char *url_redact(const char *url)
{
	const char *login = url;
	size_t len = find_login(url, &login);
	size_t end = strstr(url, "://") ? path_end(url) : strlen(url);
	char *out = malloc(end + 1);

	if (!out)
		return NULL;
	if (len)
		sprintf(out, "%.*s%.*s", (int)(login - url), url,
			(int)(url + end - (login + len + 1)), login + len + 1);
	else
		sprintf(out, "%.*s", (int)end, url);
	return out;
}

/**
 * url_blot - overwrite what url_redact() leaves out, in place
 * @url: a word of the command line, which others can read
 *
 * Return: true if there was any
 */
bool url_blot(char *url)
{
	const char *login = url;
	size_t len = find_login(url, &login);
	char *query = url + path_end(url);

	if (!strstr(url, "://"))
		return false;
	memset(url + (login - url), '*', len);
	if (*query)
		memset(query + 1, '*', strlen(query + 1));
	return len || *query;
}
