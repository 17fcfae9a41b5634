// SPDX-License-Identifier: GPL-2.0-only
/* Commands: the input is a write(2) by a daemon. */
#include <errno.h>

#include "fuzz.h"
#include "cachefiles_od/core/command.h"

#include <linux/cachefiles_od.h>

static const struct {
	const char *name;
	enum od_command_id id;
} names[] = {
	{ "dir", OD_CMD_DIR }, { "tag", OD_CMD_TAG }, { "secctx", OD_CMD_SECCTX },
	{ "brun", OD_CMD_BRUN }, { "bcull", OD_CMD_BCULL }, { "bstop", OD_CMD_BSTOP },
	{ "frun", OD_CMD_FRUN }, { "fcull", OD_CMD_FCULL }, { "fstop", OD_CMD_FSTOP },
	{ "bind", OD_CMD_BIND }, { "copen", OD_CMD_COPEN }, { "restore", OD_CMD_RESTORE },
	{ "inuse", OD_CMD_INUSE }, { "cull", OD_CMD_CULL }, { "debug", OD_CMD_DEBUG },
	{ "commit", OD_CMD_COMMIT }, { "wide", OD_CMD_WIDE },
	{ "cull-deferred", OD_CMD_CULL_DEFERRED }, { "punch", OD_CMD_PUNCH },
	{ "events", OD_CMD_EVENTS },
};

/* The id of a name, or -1. */
static int id_of(const u8 *name, size_t len)
{
	size_t i;

	for (i = 0; i < sizeof(names) / sizeof(names[0]); i++)
		if (strlen(names[i].name) == len && !memcmp(names[i].name, name, len))
			return names[i].id;
	return -1;
}

static size_t span(const u8 *p, size_t len, const char *set, bool in)
{
	size_t n;

	for (n = 0; n < len && (memchr(set, p[n], strlen(set)) != NULL) == in; n++)
		;
	return n;
}

/* Digits followed by @end, parsed by the C library. */
static int number(const char *text, char end, u64 *value)
{
	char *rest;

	if (*text < '0' || *text > '9')
		return -EINVAL;
	errno = 0;
	*value = strtoull(text, &rest, 10);
	return errno || *rest != end ? -EINVAL : (int)(rest - text);
}

static void check_numbers(const char *arg)
{
	static const char ends[] = { '\0', ',', '%' };
	size_t i;

	for (i = 0; i < sizeof(ends); i++) {
		u64 value = 0, wanted = 0;
		int n = number(arg, ends[i], &wanted);

		must(od_command_u64(arg, ends[i], &value) == n);
		must(n < 0 || value == wanted);
	}
}

static void check_percent(const char *arg)
{
	unsigned int percent = ~0U;
	u64 wanted;
	int n = number(arg, '%', &wanted);
	bool good = n >= 0 && !arg[n + 1] && wanted < 100;

	must(od_command_percent(arg, &percent) == (good ? 0 : -EINVAL));
	must(!good || percent == wanted);
}

/* Text after the ID, in a copy that the parser has not modified. */
static void check_copen_rest(const struct od_copen *copen, int err, const char *text)
{
	const char *comma = strchr(text, ','), *validator = comma ? comma + 1 : "";
	bool bad = comma && (!*validator || strlen(validator) > OD_VALIDATOR_MAX);
	char end = comma ? ',' : '\0';
	u64 size = 0;

	must(!bad || err == 1);
	must(!strcmp(copen->validator, err ? "" : validator));
	if (err) {
		must(err == 1 && copen->size == -EINVAL);
	} else if (*text == '-') {
		must(number(text + 1, end, &size) > 0 && copen->size == -(s64)size);
		must(copen->size < 0 && copen->size >= -4095);
	} else {
		must(number(text, end, &size) > 0 && copen->size == (s64)size);
		/* Rounding up to any grain must not wrap. */
		must(copen->size >= 0 && copen->size <= S64_MAX - 0xffff);
	}
}

static void check_copen(const char *arg)
{
	struct od_copen copen = { 0 };
	char *cut = strdup(arg);
	u64 id;
	int n = number(arg, ',', &id), err = od_command_copen(cut, &copen);

	must((err == -EINVAL) == (n < 0 || id > U32_MAX));
	if (err >= 0) {
		must(copen.id == id);
		must(err || !*copen.validator || inside(copen.validator, 1, cut, strlen(arg)));
		check_copen_rest(&copen, err, arg + n + 1);
	}
	free(cut);
}

/* A name and two numbers whose sum does not overflow. */
static void check_punch(const char *arg)
{
	char *cut = strdup(arg), *again;
	struct od_punch punch = { 0 };

	if (!od_command_punch(cut, &punch)) {
		must(inside(punch.name, 1, cut, strlen(arg) + 1));
		must(!strpbrk(punch.name, " \t\r\v\f"));
		must(punch.len && punch.start + punch.len > punch.start);
		must(asprintf(&again, "%s %llu %llu", punch.name, (unsigned long long)punch.start,
			      (unsigned long long)punch.len) > 0);
		must(!od_command_punch(again, &punch));
		free(again);
	}
	free(cut);
}

static void check_command(const u8 *data, size_t size, const struct od_command *cmd,
			  const char *text)
{
	size_t line = span(data, size, "\n", false);
	size_t name = span(data, line, " \t\r\v\f", false);
	size_t arg = name + span(data + name, line - name, " \t\r\v\f", true);

	must(id_of(data, name) == (int)cmd->id);
	must(inside(cmd->arg, 1, text, size + 1));
	must(memchr(cmd->arg, 0, text + size + 1 - cmd->arg));
	must(strlen(cmd->arg) == line - arg && !memcmp(cmd->arg, data + arg, line - arg));
}

int LLVMFuzzerTestOneInput(const u8 *data, size_t size)
{
	struct od_command cmd = { .arg = NULL };
	char *text;
	int err;

	if (size > CACHEFILES_OD_CMD_MAX)
		return 0;
	/* The spare byte is not a NUL: the parser has to add it. */
	text = malloc(size + 1);
	memcpy(text, data, size);
	text[size] = 'x';
	err = od_command_parse(text, size, &cmd);
	must(err == 0 || err == -EINVAL || err == -EOPNOTSUPP);
	must((err == -EINVAL) == (!size || data[0] == '\n' || memchr(data, 0, size)));
	if (err == -EOPNOTSUPP)
		must(id_of(data, span(data, size, " \t\r\v\f\n", false)) < 0);
	if (!err) {
		check_command(data, size, &cmd, text);
		check_numbers(cmd.arg);
		check_percent(cmd.arg);
		check_copen(cmd.arg);
		check_punch(cmd.arg);
	}
	free(text);
	return 0;
}
