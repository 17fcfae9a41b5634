/* SPDX-License-Identifier: GPL-2.0-only */
/* Byte ranges, as the kernel requests them and as in HTTP. */
#ifndef ODD_RANGE_H
#define ODD_RANGE_H

#include <stdbool.h>
#include <stdint.h>

/** RANGE_UNKNOWN - a size that was not reported */
#define RANGE_UNKNOWN	UINT64_MAX

/**
 * struct content_range - a Content-Range header field
 * @satisfied: there is a range; false for the "bytes * / SIZE" of a 416
 * @first: first byte
 * @last: last byte, not before @first
 * @total: bytes of the whole blob, or %RANGE_UNKNOWN
 */
struct content_range {
	bool satisfied;
	uint64_t first;
	uint64_t last;
	uint64_t total;
};

int number_parse(const char **text, uint64_t *value);
int content_range_parse(const char *text, struct content_range *range);
uint64_t range_clamp(uint64_t off, uint64_t len, uint64_t size);

#endif
