// SPDX-License-Identifier: GPL-2.0-only
#include "version.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

static bool is_strong(const char *etag)
{
	return *etag == '"';
}

/* The value goes to the log and to the kernel, so every byte is checked. */
static bool is_printable(const char *value, char first)
{
	for (; *value; value++)
		if (*value < first || *value > 0x7e)
			return false;
	return true;
}

/** version_set_etag - parse an ETag header field; invalid ones are ignored */
void version_set_etag(struct version *version, const char *value)
{
	const char *quoted = strncmp(value, "W/", 2) ? value : value + 2;
	size_t len = strlen(quoted);

	if (len < 2 || quoted[0] != '"' || strchr(quoted + 1, '"') != quoted + len - 1)
		return;
	if (strlen(value) <= ETAG_MAX && is_printable(value, 0x21))
		strcpy(version->etag, value);
}

/** version_set_modified - parse a Last-Modified header field; invalid ones are ignored */
void version_set_modified(struct version *version, const char *value)
{
	if (strlen(value) <= MODIFIED_MAX && is_printable(value, ' ') && !strchr(value, '"'))
		strcpy(version->modified, value);
}

/* As an HTTP server would report it for the same file. */
static void set_date(struct version *version, time_t seconds)
{
	struct tm tm;

	if (gmtime_r(&seconds, &tm))
		strftime(version->modified, sizeof(version->modified),
			 "%a, %d %b %Y %H:%M:%S GMT", &tm);
}

/** version_of_file - get the version of a file in a directory; does not set @place */
void version_of_file(struct version *version, const struct stat *st)
{
	version->size = (uint64_t)st->st_size;
	version->ino = st->st_ino;
	set_date(version, st->st_mtim.tv_sec);
	snprintf(version->file, sizeof(version->file), "%lld.%09ld-%ju-%" PRIu64 "-%lld.%09ld",
		 (long long)st->st_mtim.tv_sec, st->st_mtim.tv_nsec, (uintmax_t)st->st_ino,
		 version->size, (long long)st->st_ctim.tv_sec, st->st_ctim.tv_nsec);
}

/** version_is_named - whether a version has more than a size */
bool version_is_named(const struct version *version)
{
	return *version->etag || *version->modified || *version->file;
}

/* Up to the first '-': the modification time with its nanoseconds */
static bool same_mtime(const char *a, const char *b)
{
	size_t len = strcspn(a + 1, "-") + 1;

	return !strncmp(a, b, len + 1);
}

static bool same_file(const struct version *want, const struct version *seen)
{
	if (want->place == seen->place || want->place == VERSION_ANYWHERE)
		return !strcmp(want->file, seen->file);
	/* A copy in another directory has another inode. */
	return same_mtime(want->file, seen->file);
}

/**
 * version_same - whether two sources, or one at two times, have the same content
 * @want: the blob's version
 * @seen: the version that a source has now
 * @mirror: equal sizes suffice between two sources
 *
 * Equal strong ETags suffice, whatever else differs. Otherwise equal dates do: each server of a
 * group may generate its own ETags. If neither is known for both, a weak ETag has to suffice,
 * and if nothing is known, the size.
 */
bool version_same(const struct version *want, const struct version *seen, bool mirror)
{
	if (want->size != seen->size)
		return false;
	if (mirror && want->place != seen->place)
		return true;
	if (*want->file && *seen->file)
		return same_file(want, seen);
	if (is_strong(want->etag) && !strcmp(want->etag, seen->etag))
		return true;
	if (*want->modified && *seen->modified)
		return !strcmp(want->modified, seen->modified);
	if (*want->etag && *seen->etag)
		return !strcmp(want->etag, seen->etag);
	return !version_is_named(want);
}

/**
 * version_write - write the text that identifies a version to the kernel
 * @version: as reported by a source
 * @text: gets the text; "" if nothing but a size is known
 */
void version_write(const struct version *version, char text[static VALIDATOR_MAX + 1])
{
	const char *modified = version->modified;

	if (*version->file)
		strcpy(text, version->file);
	else if (is_strong(version->etag) && !*modified)
		strcpy(text, version->etag);
	else if (*version->etag)
		snprintf(text, VALIDATOR_MAX + 1, "%s %s %" PRIu64, version->etag,
			 *modified ? modified : "-", version->size);
	else if (*modified)
		snprintf(text, VALIDATOR_MAX + 1, "%s %" PRIu64, modified, version->size);
	else
		*text = '\0';
}

/* "DATE SIZE" */
static void read_date(struct version *version, const char *text)
{
	const char *end = strrchr(text, ' ');
	char date[MODIFIED_MAX + 1];

	if (!end || (size_t)(end - text) > MODIFIED_MAX)
		return;
	snprintf(date, sizeof(date), "%.*s", (int)(end - text), text);
	if (strcmp(date, "-"))
		version_set_modified(version, date);
}

/**
 * version_read - parse a text of version_write()
 * @version: set
 * @size: of the blob
 * @text: as recorded in the cache
 */
void version_read(struct version *version, uint64_t size, const char *text)
{
	const char *rest = strchr(text, ' ');
	char etag[ETAG_MAX + 1];

	memset(version, 0, sizeof(*version));
	version->place = VERSION_ANYWHERE;
	version->size = size;
	if (*text == '"' || !strncmp(text, "W/\"", 3)) {
		if (!rest)
			rest = text + strlen(text);
		snprintf(etag, sizeof(etag), "%.*s", (int)(rest - text), text);
		version_set_etag(version, etag);
		if (*rest)
			read_date(version, rest + 1);
	} else if (*text >= '0' && *text <= '9') {
		snprintf(version->file, sizeof(version->file), "%s", text);
		set_date(version, (time_t)strtoll(text, NULL, 10));
	} else if (*text) {
		read_date(version, text);
	}
}
