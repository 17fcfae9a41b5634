// SPDX-License-Identifier: GPL-2.0-only
#include "http_response.h"

#include <stdio.h>
#include <string.h>
#include <strings.h>

/* Content codings and the first byte of all their output, or -1 if that varies. */
static const struct {
	const char *name;
	int first;
} codings[] = {
	{ "gzip", 0x1f },
	{ "x-gzip", 0x1f },
	{ "compress", 0x1f },
	{ "x-compress", 0x1f },
	{ "zstd", 0x28 },
	{ "dcz", 0x5e },
	{ "deflate", -1 },
	{ "br", -1 },
	{ "dcb", -1 },
};

#define CODINGS	(sizeof(codings) / sizeof(codings[0]))

/** http_response_reset - reset before the first line of each header */
void http_response_reset(struct http_response *response)
{
	memset(response, 0, sizeof(*response));
	response->length = RANGE_UNKNOWN;
}

/* If @line is the field @name, returns its value without blanks and line end. */
static const char *field_value(char *line, const char *name)
{
	size_t len = strlen(name);
	char *value, *end;

	if (strncasecmp(line, name, len) || line[len] != ':')
		return NULL;
	value = line + len + 1;
	value += strspn(value, " \t");
	end = value + strlen(value);
	while (end > value && strchr(" \t\r\n", end[-1]))
		*--end = '\0';
	return value;
}

/* Two Content-Range fields cannot both be right. */
static void take_range(struct http_response *response, const char *value)
{
	if (response->has_range || content_range_parse(value, &response->range))
		response->bad = "Content-Range";
	response->has_range = true;
}

static void take_length(struct http_response *response, const char *value)
{
	if (number_parse(&value, &response->length) || *value)
		response->bad = "Content-Length";
}

static bool is_coding(const char *name, size_t len)
{
	size_t i;

	for (i = 0; i < CODINGS; i++)
		if (strlen(codings[i].name) == len && !strncasecmp(name, codings[i].name, len))
			return true;
	return false;
}

/* Names that are not codings ("identity", "aws-chunked", "utf-8") change no bytes. */
static void take_codings(struct http_response *response, const char *value)
{
	size_t len;

	for (; *value; value += len) {
		value += strspn(value, ", \t");
		len = strcspn(value, ", \t");
		if (!*response->coding && is_coding(value, len))
			snprintf(response->coding, sizeof(response->coding), "%.*s", (int)len, value);
	}
}

static void take_type(struct http_response *response, const char *value)
{
	size_t len = strcspn(value, "; \t");

	response->web_page = (len == 9 && !strncasecmp(value, "text/html", len)) ||
			   (len == 21 && !strncasecmp(value, "application/xhtml+xml", len));
}

/**
 * http_response_line - parse one line of a header
 * @response: the response
 * @data: the line, without a NUL at its end
 * @len: bytes in @data
 */
void http_response_line(struct http_response *response, const char *data, size_t len)
{
	char line[1024];
	const char *value;

	/* A line this long is not relevant here. */
	if (len >= sizeof(line))
		return;
	memcpy(line, data, len);
	line[len] = '\0';
	/* What came before was the header of an interim response. */
	if (!strncmp(line, "HTTP/", 5))
		http_response_reset(response);
	else if ((value = field_value(line, "Content-Range")))
		take_range(response, value);
	else if ((value = field_value(line, "Content-Length")))
		take_length(response, value);
	else if ((value = field_value(line, "Content-Encoding")))
		take_codings(response, value);
	else if ((value = field_value(line, "Content-Type")))
		take_type(response, value);
	else if ((value = field_value(line, "ETag")))
		version_set_etag(&response->version, value);
	else if ((value = field_value(line, "Last-Modified")))
		version_set_modified(&response->version, value);
}

/**
 * http_response_is_coded - whether the body is encoded rather than the blob's own bytes
 * @response: its header
 * @off: offset of the body in the blob
 * @byte: its first byte
 *
 * Servers also report a coding that was applied to the blob before upload. A body that does not
 * begin with that coding's magic number is not encoded. This is checked at the start of a blob
 * when it is opened; later ranges with the same size and version have the same bytes.
 */
bool http_response_is_coded(const struct http_response *response, uint64_t off, uint8_t byte)
{
	size_t i;

	if (!*response->coding)
		return false;
	for (i = 0; i < CODINGS; i++) {
		if (strcasecmp(response->coding, codings[i].name))
			continue;
		if (codings[i].first < 0)
			return true;
		return !off && byte == codings[i].first;
	}
	return true;
}
