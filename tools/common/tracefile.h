/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Traces: which ranges of which blobs a start reads, and in which order. The trace of an image
 * is stored next to its blob BLOB as BLOB.trace, and comes from the same source: do not trust
 * it.
 *
 *	erofs-od trace 1
 *	blob SIZE NAME
 *	...
 *	read BLOB OFFSET LENGTH
 *	...
 *
 * BLOB is the index of a "blob" line, from 0. Ranges are in the order in which they were read.
 * None overlaps another or ends beyond its blob; offsets are multiples of %TRACE_BLOCK, and so
 * are lengths, unless the range ends where the blob does.
 */
#ifndef OD_TRACEFILE_H
#define OD_TRACEFILE_H

#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

#include "core/key.h"

/** TRACE_SUFFIX - suffix to the name of the blob */
#define TRACE_SUFFIX		".trace"
#define TRACE_BLOCK		4096U
#define TRACE_BLOBS_MAX		256U
#define TRACE_RANGES_MAX	16384U
/** TRACE_WINDOW - the module's parameter that limits how far READs are widened, in KiB */
#define TRACE_WINDOW		"/sys/module/cachefiles_od/parameters/window_kib"
/** TRACE_WINDOW_KIB - its value while a trace is recorded: READs are not widened */
#define TRACE_WINDOW_KIB	"4"
/** TRACE_TEXT_MAX - bytes of a file; what trace_print() writes is never longer */
#define TRACE_TEXT_MAX		(1U << 20)

/**
 * struct trace_blob - a blob
 * @name: its name
 * @size: in bytes, when the trace was recorded
 */
struct trace_blob {
	char name[OD_KEY_MAX + 1];
	uint64_t size;
};

/**
 * struct trace_range - bytes that were read
 * @blob: index of the blob
 * @off: first byte
 * @end: byte after the last one
 */
struct trace_range {
	unsigned int blob;
	uint64_t off;
	uint64_t end;
};

/**
 * struct trace - a trace; all zeroes is an empty one
 * @blobs: blobs
 * @nr_blobs: number of @blobs
 * @ranges: ranges, in the order in which they were read
 * @nr_ranges: number of @ranges
 */
struct trace {
	struct trace_blob *blobs;
	unsigned int nr_blobs;
	struct trace_range *ranges;
	unsigned int nr_ranges;
};

int trace_blob(struct trace *trace, const char *name, uint64_t size);
int trace_add(struct trace *trace, unsigned int blob, uint64_t off, uint64_t end);
int trace_parse(struct trace *trace, const char *text, size_t len, const char **why);
int trace_print(const struct trace *trace, FILE *out);
uint64_t trace_bytes(const struct trace *trace);
uint32_t *trace_sort(const struct trace *trace);
void trace_free(struct trace *trace);

#endif
