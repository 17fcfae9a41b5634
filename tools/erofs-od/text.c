// SPDX-License-Identifier: GPL-2.0-only
#include "text.h"

#include <err.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "command.h"

/** text_format_list - as vasprintf(3) */
char *text_format_list(const char *fmt, va_list args)
{
	char *text;

	if (vasprintf(&text, fmt, args) < 0)
		err(OD_EXIT_FAILED, "out of memory");
	return text;
}

/** text_format - as asprintf(3); free it */
char *text_format(const char *fmt, ...)
{
	va_list args;
	char *text;

	va_start(args, fmt);
	text = text_format_list(fmt, args);
	va_end(args);
	return text;
}

/** text_copy - copy a string; NULL for NULL; free it */
char *text_copy(const char *text)
{
	return text ? text_format("%s", text) : NULL;
}

/**
 * text_append - append to a list
 * @text: from malloc(), or NULL for an empty list
 * @separator: between two entries
 * @more: the new entry
 */
void text_append(char **text, const char *separator, const char *more)
{
	char *longer = *text ? text_format("%s%s%s", *text, separator, more) : text_copy(more);

	free(*text);
	*text = longer;
}

/** text_quote - quote as one word of a shell; free it */
char *text_quote(const char *word)
{
	static const char plain[] = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ"
				    "0123456789/._-+:=@,";
	char *quoted, *out;

	if (*word && !word[strspn(word, plain)])
		return text_copy(word);
	/* A quote becomes four characters, two more enclose the word. */
	quoted = malloc(strlen(word) * 4 + 3);
	if (!quoted)
		err(OD_EXIT_FAILED, "out of memory");
	out = quoted;
	*out++ = '\'';
	for (; *word; word++) {
		if (*word == '\'')
			out = stpcpy(out, "'\\''");
		else
			*out++ = *word;
	}
	*out++ = '\'';
	*out = '\0';
	return quoted;
}

/** text_has_word - whether a word is in a list separated by blanks or commas */
bool text_has_word(const char *list, const char *word)
{
	size_t len = strlen(word);

	while (list && *list) {
		list += strspn(list, " ,\t\n");
		if (strcspn(list, " ,\t\n") == len && !strncmp(list, word, len))
			return len > 0;
		list += strcspn(list, " ,\t\n");
	}
	return false;
}

/** text_read - contents of a file up to a NUL, without trailing newlines, or NULL; free it */
char *text_read(const char *path)
{
	FILE *in = fopen(path, "re");
	char *text = NULL;
	size_t size = 0, len;
	ssize_t n;

	if (!in)
		return NULL;
	n = getdelim(&text, &size, '\0', in);
	if (n < 0) {
		free(text);
		text = ferror(in) ? NULL : text_copy("");
	}
	fclose(in);
	len = text ? strlen(text) : 0;
	while (len && text[len - 1] == '\n')
		text[--len] = '\0';
	return text;
}

/** text_array - reallocate for @count + 1 strings; free it */
char **text_array(char **array, size_t count)
{
	array = reallocarray(array, count + 1, sizeof(*array));
	if (!array)
		err(OD_EXIT_FAILED, "out of memory");
	return array;
}
