/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Shared by the fuzzers. Each is one file: it splits its input with a feed, passes
 * the parts to a core in buffers of exactly their size, so that ASan detects reads
 * beyond them, and checks everything that the core's header promises.
 */
#ifndef TESTS_FUZZ_H
#define TESTS_FUZZ_H

#include <stdio.h>
#include <stdlib.h>

#include "od/types.h"

int LLVMFuzzerTestOneInput(const u8 *data, size_t size);

/* must(CONDITION): a promise of a header */
#define must(condition) do {							\
	if (!(condition)) {							\
		fprintf(stderr, "%s:%d: broken: %s\n", __FILE__, __LINE__, #condition); \
		abort();							\
	}									\
} while (0)

/* The rest of an input, followed by zeroes. */
struct feed {
	const u8 *p;
	size_t left;
};

static inline u8 feed8(struct feed *feed)
{
	if (!feed->left)
		return 0;
	feed->left--;
	return *feed->p++;
}

static inline u16 feed16(struct feed *feed)
{
	u16 low = feed8(feed);

	return (u16)(low | feed8(feed) << 8);
}

static inline u32 feed32(struct feed *feed)
{
	u32 low = feed16(feed);

	return low | (u32)feed16(feed) << 16;
}

static inline u64 feed64(struct feed *feed)
{
	u64 low = feed32(feed);

	return low | (u64)feed32(feed) << 32;
}

/* Exactly len bytes, in a buffer of their own; to be freed. */
static inline u8 *feed_bytes(struct feed *feed, size_t len)
{
	u8 *bytes = malloc(len);
	size_t n = len < feed->left ? len : feed->left;

	if (!bytes && len)
		abort();
	if (n)
		memcpy(bytes, feed->p, n);
	if (len > n)
		memset(bytes + n, 0, len - n);
	feed->p += n;
	feed->left -= n;
	return bytes;
}

/* At most max of the remaining bytes, and their number. */
static inline u8 *feed_rest(struct feed *feed, size_t max, size_t *len)
{
	*len = feed->left < max ? feed->left : max;
	return feed_bytes(feed, *len);
}

/* Whether len bytes at p are within the buffer. */
static inline bool inside(const void *p, size_t len, const void *buf, size_t size)
{
	uintptr_t at = (uintptr_t)p, start = (uintptr_t)buf;

	return at >= start && at - start <= size && len <= size - (at - start);
}

#endif /* TESTS_FUZZ_H */
