// SPDX-License-Identifier: GPL-2.0-only
#include "range.h"

#include <errno.h>
#include <string.h>
#include <strings.h>

/**
 * number_parse - parse decimal digits
 * @text: advanced past them
 * @value: at most INT64_MAX, the largest file offset
 *
 * Return: 0, -EINVAL without a digit, -ERANGE
 */
int number_parse(const char **text, uint64_t *value)
{
	const char *p = *text;
	uint64_t v = 0;

	if (*p < '0' || *p > '9')
		return -EINVAL;
	for (; *p >= '0' && *p <= '9'; p++) {
		unsigned int digit = (unsigned int)(*p - '0');

		if (v > ((uint64_t)INT64_MAX - digit) / 10)
			return -ERANGE;
		v = v * 10 + digit;
	}
	*text = p;
	*value = v;
	return 0;
}

static const char *skip_blanks(const char *p)
{
	return p + strspn(p, " \t");
}

static int parse_total(const char *p, uint64_t *total)
{
	if (*p == '*') {
		*total = RANGE_UNKNOWN;
		p++;
	} else if (number_parse(&p, total)) {
		return -EINVAL;
	}
	return p[strspn(p, " \t\r\n")] ? -EINVAL : 0;
}

/**
 * content_range_parse - parse the value of a Content-Range header field (RFC 9110, 14.4)
 * @text: text after the colon
 * @range: filled in
 *
 * Return: 0 or -EINVAL
 */
int content_range_parse(const char *text, struct content_range *range)
{
	const char *p = skip_blanks(text);

	memset(range, 0, sizeof(*range));
	if (strncasecmp(p, "bytes", 5) || (p[5] != ' ' && p[5] != '\t'))
		return -EINVAL;
	p = skip_blanks(p + 5);
	if (*p == '*') {
		if (p[1] != '/')
			return -EINVAL;
		return parse_total(p + 2, &range->total);
	}
	if (number_parse(&p, &range->first) || *p++ != '-' ||
	    number_parse(&p, &range->last) || *p++ != '/')
		return -EINVAL;
	if (parse_total(p, &range->total))
		return -EINVAL;
	if (range->last < range->first || range->last >= range->total)
		return -EINVAL;
	range->satisfied = true;
	return 0;
}

/**
 * range_clamp - length of the part of a range that is within a blob
 * @off: first byte
 * @len: bytes
 * @size: bytes of the blob
 *
 * Return: the length, 0 if @off is at or beyond the end
 */
uint64_t range_clamp(uint64_t off, uint64_t len, uint64_t size)
{
	if (off >= size)
		return 0;
	return len < size - off ? len : size - off;
}
