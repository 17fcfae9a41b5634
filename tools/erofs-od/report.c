// SPDX-License-Identifier: GPL-2.0-only
#include "report.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "command.h"
#include "human.h"
#include "json.h"
#include "log.h"
#include "text.h"

void report_init(struct report *report, bool json)
{
	report->list = json ? json_array() : NULL;
	report->failed = false;
}

static json_t *add_entry(struct report *report, const struct object *object, const char *result)
{
	json_t *entry = json_object();

	json_object_set_new(entry, "volume", json_text(object->volume + 1));
	json_object_set_new(entry, "blob", json_text(object->blob));
	json_object_set_new(entry, "result", json_text(result));
	json_array_append_new(report->list, entry);
	return entry;
}

/* Names may contain any byte: escapes those that control the terminal. */
static char *shown(const struct object *object)
{
	const char *parts[] = { object->volume + 1, object->blob };
	char *text = NULL;
	size_t i;

	for (i = 0; i < 2; i++) {
		const unsigned char *p = (const unsigned char *)parts[i];
		char *part = text_copy("");

		for (; *p; p++) {
			char *more = *p >= 0x20 && *p != 0x7f ? text_format("%s%c", part, *p) :
				text_format("%s\\%03o", part, *p);

			free(part);
			part = more;
		}
		text_append(&text, " ", part);
		free(part);
	}
	return text;
}

/**
 * report_done - report that a blob was handled
 * @report: results
 * @object: cache file of the blob
 * @result: what was done
 * @bytes: data affected
 */
void report_done(struct report *report, const struct object *object, const char *result,
		 uint64_t bytes)
{
	char size[HUMAN_SIZE], *name;

	if (report->list) {
		json_object_set_new(add_entry(report, object, result), "bytes",
				    json_integer((json_int_t)bytes));
		return;
	}
	name = shown(object);
	printf("%s: %s, %s\n", name, result, human_bytes(bytes, size));
	free(name);
}

/**
 * report_failed - report that a blob could not be handled
 * @report: results
 * @object: cache file of the blob
 * @result: what failed
 * @fmt: why, as printf(3)
 */
void report_failed(struct report *report, const struct object *object, const char *result,
		   const char *fmt, ...)
{
	va_list args;
	char *why, *name;

	va_start(args, fmt);
	why = text_format_list(fmt, args);
	va_end(args);
	report->failed = true;
	if (report->list) {
		json_object_set_new(add_entry(report, object, result), "why", json_text(why));
	} else {
		name = shown(object);
		log_err("%s: %s: %s", name, result, why);
		free(name);
	}
	free(why);
}

/**
 * report_end - print what has not been printed yet
 * @report: results
 * @err: why the command stopped early, or 0
 *
 * Return: the command's exit status
 */
int report_end(struct report *report, int err)
{
	if (report->list) {
		if (json_dumpf(report->list, stdout, JSON_INDENT(2)) || putchar('\n') < 0)
			err = -EIO;
		json_decref(report->list);
	}
	if (fflush(stdout)) {
		log_err("failed to write the output: %s", strerror(errno));
		err = -EIO;
	}
	return err || report->failed ? OD_EXIT_FAILED : OD_EXIT_OK;
}
