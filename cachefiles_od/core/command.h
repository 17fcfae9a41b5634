/* SPDX-License-Identifier: GPL-2.0-only */
/* The text commands that a daemon writes to the device. */
#ifndef OD_CORE_COMMAND_H
#define OD_CORE_COMMAND_H

#include "od/types.h"

enum od_command_id {
	OD_CMD_BIND,
	OD_CMD_BRUN,
	OD_CMD_BCULL,
	OD_CMD_BSTOP,
	OD_CMD_COMMIT,
	OD_CMD_COPEN,
	OD_CMD_CULL,
	OD_CMD_CULL_DEFERRED,
	OD_CMD_DEBUG,
	OD_CMD_DIR,
	OD_CMD_EVENTS,
	OD_CMD_FRUN,
	OD_CMD_FCULL,
	OD_CMD_FSTOP,
	OD_CMD_INUSE,
	OD_CMD_PUNCH,
	OD_CMD_RESTORE,
	OD_CMD_SECCTX,
	OD_CMD_TAG,
	OD_CMD_WIDE,
};

/**
 * struct od_command - one command
 * @id: the command
 * @arg: text after the name and blanks; may be ""
 */
struct od_command {
	enum od_command_id id;
	char *arg;
};

/**
 * od_command_parse - parse a command
 * @text: the text, followed by one spare byte; modified
 * @len: its length without the spare byte
 * @cmd: the result; its @arg points into @text
 *
 * Return: 0; -EINVAL for an embedded NUL or a leading newline; -EOPNOTSUPP for an unknown name.
 */
int od_command_parse(char *text, size_t len, struct od_command *cmd);

/** OD_VALIDATOR_MAX - longest validator of a copen, without its NUL */
#define OD_VALIDATOR_MAX	255U

/**
 * struct od_copen - the reply to an OPEN
 * @id: msg_id of the OPEN
 * @size: bytes of the blob, or a negative errno
 * @validator: version of the blob, "" if the daemon names none; points into the
 *	command
 */
struct od_copen {
	u32 id;
	s64 size;
	const char *validator;
};

/**
 * od_command_copen - parse "ID,SIZE[,VALIDATOR]"
 * @arg: argument of a copen command; cut at the comma before VALIDATOR, which
 *	is the rest, with any commas and blanks
 * @copen: the result; @size is -EINVAL if SIZE is neither a size nor an errno,
 *	or where VALIDATOR is empty or longer than %OD_VALIDATOR_MAX
 *
 * Return: 0; -EINVAL if no ID can be parsed, so that no request can be failed; 1 if @id is
 * valid but what follows is not.
 */
int od_command_copen(char *arg, struct od_copen *copen);

/**
 * struct od_punch - a range to punch
 * @name: file name of the blob; points into the command
 * @start: first byte
 * @len: bytes, not 0
 */
struct od_punch {
	const char *name;
	u64 start, len;
};

/**
 * od_command_punch - parse "NAME START LEN"
 * @arg: argument of a punch command; modified. File names in a cache have no blanks
 * @punch: the result; @name may be "" only when this fails
 *
 * Return: 0 or -EINVAL.
 */
int od_command_punch(char *arg, struct od_punch *punch);

/**
 * od_command_percent - parse "N%"
 * @arg: argument of a limit command
 * @percent: the result, 0 to 99
 *
 * Return: 0 or -EINVAL.
 */
int od_command_percent(const char *arg, unsigned int *percent);

/**
 * od_command_u64 - parse a whole decimal number
 * @text: digits
 * @end: the byte that must follow them
 * @value: the result
 *
 * Return: number of digits, or -EINVAL (none, another byte after them, overflow).
 */
int od_command_u64(const char *text, char end, u64 *value);

#endif /* OD_CORE_COMMAND_H */
