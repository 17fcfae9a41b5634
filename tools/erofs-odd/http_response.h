/* SPDX-License-Identifier: GPL-2.0-only */
/* Parses the header of an HTTP response. */
#ifndef ODD_HTTP_RESPONSE_H
#define ODD_HTTP_RESPONSE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "range.h"
#include "version.h"

/**
 * struct http_response - header of a response
 * @range: Content-Range
 * @has_range: there was a valid one
 * @bad: a field that contradicts itself or makes no sense: its name, or NULL
 * @length: Content-Length, or %RANGE_UNKNOWN
 * @version: ETag and Last-Modified; @size is not set
 * @coding: the first content coding that would change the bytes, or ""
 * @web_page: it has a media type that no blob has
 */
struct http_response {
	struct content_range range;
	bool has_range;
	const char *bad;
	uint64_t length;
	struct version version;
	char coding[32];
	bool web_page;
};

void http_response_reset(struct http_response *response);
void http_response_line(struct http_response *response, const char *data, size_t len);
bool http_response_is_coded(const struct http_response *response, uint64_t off, uint8_t byte);

#endif
