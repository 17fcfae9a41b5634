// SPDX-License-Identifier: GPL-2.0-only
#include "json.h"

#include <errno.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "reads.h"
#include "status.h"

/**
 * json_text - convert a string of any bytes; null for NULL
 *
 * JSON is Unicode: in a string that is not UTF-8, bytes from 0x80 on become \xHH.
 */
json_t *json_text(const char *text)
{
	json_t *string = text ? json_string(text) : json_null();
	const unsigned char *p;
	char safe[4096];
	size_t used = 0;

	if (string)
		return string;
	for (p = (const unsigned char *)text; *p && used + 5 < sizeof(safe); p++) {
		if (*p < 0x80)
			safe[used++] = (char)*p;
		else
			used += (size_t)snprintf(safe + used, sizeof(safe) - used, "\\x%02x", *p);
	}
	safe[used] = '\0';
	return json_string(safe);
}

static json_t *number(uint64_t value)
{
	return json_integer((json_int_t)value);
}

static bool is_number(const char *text)
{
	return *text && !text[strspn(text, "0123456789")] && strlen(text) < 19;
}

/* "1,2,3" as an array of numbers, shorter waits first */
static json_t *wait_classes(const char *text)
{
	json_t *array = json_array();
	struct waits waits;
	size_t i;

	waits_parse(&waits, text);
	for (i = 0; i < waits.count; i++)
		json_array_append_new(array, number(waits.classes[i]));
	return array;
}

/* "EIO:3,ENOSPC:1" as an object, by name */
static json_t *error_counts(const char *text)
{
	json_t *object = json_object();
	char name[32];
	uint64_t nr;
	int n;

	for (; sscanf(text, "%31[^:,]:%" SCNu64 "%n", name, &nr, &n) == 2; text += text[n] ? n + 1 : n)
		json_object_set_new(object, name, number(nr));
	return object;
}

static json_t *cell(const char *key, const char *text)
{
	static const char *const names[] = { "volume", "blob", "fsid", "domain", "dir", "tag" };
	size_t i;

	if (!strcmp(key, "waits_ms"))
		return wait_classes(text);
	if (!strcmp(key, "errors"))
		return error_counts(text);
	for (i = 0; i < sizeof(names) / sizeof(*names); i++)
		if (!strcmp(key, names[i]))
			return json_text(text);
	return is_number(text) ? json_integer(strtoll(text, NULL, 10)) : json_text(text);
}

/* A row as an object, with the columns as keys. */
static json_t *row_object(const struct table *table, size_t row)
{
	json_t *object = json_object();
	size_t i;

	for (i = 0; i < table->columns; i++)
		json_object_set_new(object, table->cells[i],
				    cell(table->cells[i], table_get(table, row, table->cells[i])));
	return object;
}

static json_t *rows(const struct table *table)
{
	json_t *array = json_array();
	size_t i;

	for (i = 0; i < table->rows; i++)
		json_array_append_new(array, row_object(table, i));
	return array;
}

static json_t *cache_object(const struct table *cache)
{
	json_t *object = json_object();
	size_t i;

	for (i = 0; i < cache->rows; i++) {
		const char *key = table_get(cache, i, "name");

		json_object_set_new(object, key, cell(key, table_get(cache, i, "value")));
	}
	return object;
}

static json_t *mount_blobs(const struct status *status, const struct mounted *mounted)
{
	json_t *array = json_array();
	size_t i;

	for (i = 0; i < mounted->blob_count; i++) {
		const struct blob_use *use = &mounted->blobs[i];
		json_t *object = json_object();

		json_object_set_new(object, "blob",
				    json_text(table_get(&status->uses, use->mount_row, "blob")));
		json_object_set_new(object, "role",
				    json_text(table_get(&status->uses, use->mount_row, "role")));
		if (use->found) {
			json_object_set_new(object, "size",
				number(table_number(&status->blobs, use->row, "size")));
			json_object_set_new(object, "present",
				number(table_number(&status->blobs, use->row, "present")));
		}
		json_array_append_new(array, object);
	}
	return array;
}

/* Processes that use a mount or serve a cache; none unless they were searched for. */
static json_t *users(const struct status *status, const char *dev, unsigned long cache)
{
	json_t *array = json_array(), *object;
	size_t i;

	for (i = 0; i < status->users.count; i++) {
		const struct user *user = &status->users.list[i];

		if (strcmp(user->dev, dev) || user->cache != cache)
			continue;
		object = json_object();
		json_object_set_new(object, "pid", json_integer(user->pid));
		json_object_set_new(object, "name", json_text(user->name));
		json_object_set_new(object, "as", json_text(user->how));
		json_array_append_new(array, object);
	}
	return array;
}

/* Adds the read statistics of a mount, if there are any. */
static void add_reads(json_t *object, const struct status *status, const char *dev)
{
	static const char *const columns[] = { "hits", "misses", "bytes_served", "errors",
					       "timeouts", "waits_ms", "encoded_bytes" };
	size_t row, i;

	for (row = 0; row < status->reads.rows; row++)
		if (!strcmp(table_get(&status->reads, row, "dev"), dev))
			break;
	for (i = 0; row < status->reads.rows && i < sizeof(columns) / sizeof(*columns); i++)
		json_object_set_new(object, columns[i],
				    cell(columns[i], table_get(&status->reads, row, columns[i])));
}

/* Adds what was fetched for the blobs of a mount, by any reader. */
static void add_fetched(json_t *object, const struct status *status, const struct mounted *mounted)
{
	static const char *const columns[] = { "reads_sent", "bytes_filled", "bytes_widened",
					       "bytes_unused" };
	size_t i, blob;
	uint64_t sum;

	for (i = 0; i < sizeof(columns) / sizeof(*columns); i++) {
		sum = 0;
		for (blob = 0; blob < mounted->blob_count; blob++)
			if (mounted->blobs[blob].found)
				sum += table_number(&status->blobs, mounted->blobs[blob].row,
						    columns[i]);
		json_object_set_new(object, columns[i], number(sum));
	}
}

static json_t *mount_object(const struct status *status, const struct mounted *mounted)
{
	json_t *object = json_object();
	json_t *targets = json_array();
	size_t i;

	for (i = 0; i < mounted->target_count; i++)
		json_array_append_new(targets, json_text(mounted->targets[i]));
	json_object_set_new(object, "targets", targets);
	json_object_set_new(object, "dev", json_text(mounted->dev));
	json_object_set_new(object, "type", json_text(mounted->type ? mounted->type : "-"));
	json_object_set_new(object, "fsid", json_text(mounted->fsid));
	if (strcmp(mounted->domain, "-"))
		json_object_set_new(object, "domain", json_text(mounted->domain));
	else
		json_object_set_new(object, "domain", json_null());
	json_object_set_new(object, "size", number(mounted->size));
	json_object_set_new(object, "present", number(mounted->present));
	json_object_set_new(object, "waiting", number(mounted->waiting));
	json_object_set_new(object, "oldest_ms", number(mounted->oldest_ms));
	add_reads(object, status, mounted->dev);
	add_fetched(object, status, mounted);
	json_object_set_new(object, "users", users(status, mounted->dev, 0));
	json_object_set_new(object, "blobs", mount_blobs(status, mounted));
	return object;
}

static json_t *names(const struct pins *pins)
{
	json_t *array = json_array();
	size_t i;

	for (i = 0; i < pins->count; i++)
		json_array_append_new(array, json_text(pins->names[i]));
	return array;
}

static json_t *caches(const struct status *status)
{
	json_t *array = json_array(), *object;
	size_t i;

	for (i = 0; i < status_caches(status); i++) {
		object = status->caches.rows ? row_object(&status->caches, i) :
					       cache_object(&status->cache);
		json_object_set_new(object, "pins", names(&status->pins[i]));
		json_object_set_new(object, "users",
				    users(status, "", strtoul(status_of_cache(status, i, "cache"),
							      NULL, 10)));
		json_array_append_new(array, object);
	}
	return array;
}

/**
 * status_json - print as JSON
 * @status: state to print
 * @out: output
 *
 * Return: 0 or a negative errno
 */
int status_json(const struct status *status, FILE *out)
{
	json_t *root = json_object();
	json_t *mounts = json_array();
	size_t i;
	int err;

	for (i = 0; i < status->mount_count; i++)
		json_array_append_new(mounts, mount_object(status, &status->mounts[i]));
	json_object_set_new(root, "daemon", json_text(status_daemon(status)));
	json_object_set_new(root, "cache", cache_object(&status->cache));
	json_object_set_new(root, "caches", caches(status));
	json_object_set_new(root, "mounts", mounts);
	json_object_set_new(root, "blobs", rows(&status->blobs));
	json_object_set_new(root, "requests", rows(&status->requests));
	err = json_dumpf(root, out, JSON_INDENT(2)) ? -EIO : 0;
	putc('\n', out);
	json_decref(root);
	return err;
}
