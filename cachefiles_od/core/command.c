// SPDX-License-Identifier: GPL-2.0-only
#include "command.h"

/* The highest errno that a system call may return. */
#define OD_ERRNO_MAX	4095

static const struct {
	const char *name;
	enum od_command_id id;
} od_commands[] = {
	{ "bcull",	OD_CMD_BCULL },
	{ "bind",	OD_CMD_BIND },
	{ "brun",	OD_CMD_BRUN },
	{ "bstop",	OD_CMD_BSTOP },
	{ "commit",	OD_CMD_COMMIT },
	{ "copen",	OD_CMD_COPEN },
	{ "cull",	OD_CMD_CULL },
	{ "cull-deferred", OD_CMD_CULL_DEFERRED },
	{ "debug",	OD_CMD_DEBUG },
	{ "dir",	OD_CMD_DIR },
	{ "events",	OD_CMD_EVENTS },
	{ "fcull",	OD_CMD_FCULL },
	{ "frun",	OD_CMD_FRUN },
	{ "fstop",	OD_CMD_FSTOP },
	{ "inuse",	OD_CMD_INUSE },
	{ "punch",	OD_CMD_PUNCH },
	{ "restore",	OD_CMD_RESTORE },
	{ "secctx",	OD_CMD_SECCTX },
	{ "tag",	OD_CMD_TAG },
	{ "wide",	OD_CMD_WIDE },
};

static bool od_is_blank(char c)
{
	return c == ' ' || c == '\t' || c == '\r' || c == '\v' || c == '\f';
}

int od_command_parse(char *text, size_t len, struct od_command *cmd)
{
	char *newline, *arg;
	size_t i;

	if (len == 0 || text[0] == '\n' || memchr(text, 0, len))
		return -EINVAL;
	text[len] = '\0';
	newline = strchr(text, '\n');
	if (newline)
		*newline = '\0';

	for (arg = text; *arg && !od_is_blank(*arg); arg++)
		;
	while (od_is_blank(*arg))
		*arg++ = '\0';

	for (i = 0; i < ARRAY_SIZE(od_commands); i++) {
		if (strcmp(text, od_commands[i].name) == 0) {
			cmd->id = od_commands[i].id;
			cmd->arg = arg;
			return 0;
		}
	}
	return -EOPNOTSUPP;
}

int od_command_u64(const char *text, char end, u64 *value)
{
	u64 v = 0;
	int n;

	for (n = 0; text[n] >= '0' && text[n] <= '9'; n++) {
		unsigned int digit = (unsigned int)(text[n] - '0');

		if (check_mul_overflow(v, (u64)10, &v) || check_add_overflow(v, (u64)digit, &v))
			return -EINVAL;
	}
	if (n == 0 || text[n] != end)
		return -EINVAL;
	*value = v;
	return n;
}

static int od_copen_size(const char *text, s64 *size)
{
	bool negative = *text == '-';
	u64 v;
	int n = od_command_u64(text + negative, '\0', &v);

	if (n < 0)
		return -EINVAL;
	if (negative) {
		if (v == 0 || v > OD_ERRNO_MAX)
			return -EINVAL;
		*size = -(s64)v;
		return 0;
	}
	/* Leaves space to round up to the grain without wrapping. */
	if (v > (u64)S64_MAX - 0xffff)
		return -EINVAL;
	*size = (s64)v;
	return 0;
}

/* Splits off the validator; NULL if it is empty or too long. */
static const char *od_copen_validator(char *size)
{
	char *comma = strchr(size, ',');

	if (!comma)
		return "";
	*comma++ = '\0';
	return *comma && strlen(comma) <= OD_VALIDATOR_MAX ? comma : NULL;
}

int od_command_copen(char *arg, struct od_copen *copen)
{
	u64 id;
	int n = od_command_u64(arg, ',', &id);

	if (n < 0 || id > U32_MAX)
		return -EINVAL;
	copen->id = (u32)id;
	copen->validator = od_copen_validator(arg + n + 1);
	if (!copen->validator || od_copen_size(arg + n + 1, &copen->size)) {
		copen->size = -EINVAL;
		copen->validator = "";
		return 1;
	}
	return 0;
}

/* Splits off the next word. */
static char *od_next_word(char **rest)
{
	char *word = *rest, *end = word;

	while (*end && !od_is_blank(*end))
		end++;
	while (od_is_blank(*end))
		*end++ = '\0';
	*rest = end;
	return word;
}

int od_command_punch(char *arg, struct od_punch *punch)
{
	const char *start, *len;
	u64 end;

	punch->name = od_next_word(&arg);
	start = od_next_word(&arg);
	len = od_next_word(&arg);
	if (*arg || od_command_u64(start, '\0', &punch->start) < 0 ||
	    od_command_u64(len, '\0', &punch->len) < 0)
		return -EINVAL;
	return !punch->len || check_add_overflow(punch->start, punch->len, &end) ? -EINVAL : 0;
}

int od_command_percent(const char *arg, unsigned int *percent)
{
	u64 v;
	int n = od_command_u64(arg, '%', &v);

	if (n < 0 || arg[n + 1] != '\0' || v > 99)
		return -EINVAL;
	*percent = (unsigned int)v;
	return 0;
}
