/* SPDX-License-Identifier: GPL-2.0-only */
/* Dynamic strings; the program exits if memory is exhausted. */
#ifndef OD_TEXT_H
#define OD_TEXT_H

#include <stdbool.h>
#include <stdarg.h>
#include <stddef.h>

char *text_format(const char *fmt, ...) __attribute__((format(printf, 1, 2)));
char *text_format_list(const char *fmt, va_list args) __attribute__((format(printf, 1, 0)));
char *text_copy(const char *text);
void text_append(char **text, const char *separator, const char *more);
char *text_quote(const char *word);
bool text_has_word(const char *list, const char *word);
char *text_read(const char *path);
char **text_array(char **array, size_t count);

#endif
