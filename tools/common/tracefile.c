// SPDX-License-Identifier: GPL-2.0-only
#include "tracefile.h"

#include <errno.h>
#include <inttypes.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

#include "range.h"

#define HEAD	"erofs-od trace 1\n"

static bool is_power_of_two(unsigned int n)
{
	return !(n & (n - 1));
}

/* Grows an array for one more element: it doubles when full. */
static void *grown(void *array, unsigned int count, size_t size)
{
	if (!is_power_of_two(count))
		return array;
	return reallocarray(array, count ? 2 * (size_t)count : 1, size);
}

/**
 * trace_blob - find a blob, or add it
 * @trace: the trace
 * @name: its name
 * @size: in bytes
 *
 * Return: its index; -E2BIG if there are too many; -EINVAL for an invalid name, or if the blob
 * has another size; or -ENOMEM
 */
int trace_blob(struct trace *trace, const char *name, uint64_t size)
{
	size_t len = strlen(name);
	struct trace_blob *blobs;
	unsigned int i;

	if (!len || len > OD_KEY_MAX || strpbrk(name, "\n") || size > INT64_MAX)
		return -EINVAL;
	for (i = 0; i < trace->nr_blobs; i++)
		if (!strcmp(trace->blobs[i].name, name))
			return trace->blobs[i].size == size ? (int)i : -EINVAL;
	if (trace->nr_blobs == TRACE_BLOBS_MAX)
		return -E2BIG;
	blobs = grown(trace->blobs, trace->nr_blobs, sizeof(*blobs));
	if (!blobs)
		return -ENOMEM;
	trace->blobs = blobs;
	memcpy(blobs[i].name, name, len + 1);
	blobs[i].size = size;
	trace->nr_blobs++;
	return (int)i;
}

static int append(struct trace *trace, const struct trace_range *range)
{
	struct trace_range *ranges;

	if (trace->nr_ranges == TRACE_RANGES_MAX)
		return -E2BIG;
	ranges = grown(trace->ranges, trace->nr_ranges, sizeof(*ranges));
	if (!ranges)
		return -ENOMEM;
	trace->ranges = ranges;
	ranges[trace->nr_ranges++] = *range;
	return 0;
}

/* Cuts what was read before off the start of @new; returns the end of the new bytes that follow. */
static uint64_t cut(const struct trace *trace, struct trace_range *new)
{
	uint64_t end = new->end;
	bool again = true;
	unsigned int i;

	while (again && new->off < new->end) {
		again = false;
		end = new->end;
		for (i = 0; i < trace->nr_ranges; i++) {
			const struct trace_range *old = &trace->ranges[i];

			if (old->blob != new->blob || old->end <= new->off || old->off >= end)
				continue;
			if (old->off <= new->off) {
				new->off = old->end < new->end ? old->end : new->end;
				again = true;
			} else {
				end = old->off;
			}
		}
	}
	return end;
}

/* Extends a range that ends where @new begins, or begins where it ends. */
static bool merge(struct trace *trace, const struct trace_range *new)
{
	unsigned int i;

	for (i = trace->nr_ranges; i-- > 0;) {
		struct trace_range *old = &trace->ranges[i];

		if (old->blob != new->blob)
			continue;
		if (old->end == new->off) {
			old->end = new->end;
			return true;
		}
		if (old->off == new->end) {
			old->off = new->off;
			return true;
		}
	}
	return false;
}

/**
 * trace_add - add a range that was read
 * @trace: the trace
 * @blob: index of its blob
 * @off: first byte
 * @end: byte after the last one
 *
 * The range is rounded to whole blocks, reduced to what was not read before, and merged with
 * its neighbours.
 *
 * Return: 0; -E2BIG if there are too many; -EINVAL if it is not inside the blob; or -ENOMEM
 */
int trace_add(struct trace *trace, unsigned int blob, uint64_t off, uint64_t end)
{
	struct trace_range left = { .blob = blob, .off = off - off % TRACE_BLOCK };
	struct trace_range new;
	uint64_t size;
	int err = 0;

	if (blob >= trace->nr_blobs || off >= end || end > trace->blobs[blob].size)
		return -EINVAL;
	size = trace->blobs[blob].size;
	left.end = (end + TRACE_BLOCK - 1) / TRACE_BLOCK * TRACE_BLOCK;
	if (left.end > size)
		left.end = size;
	while (!err && left.off < left.end) {
		new = left;
		new.end = cut(trace, &new);
		if (new.off < new.end && !merge(trace, &new))
			err = append(trace, &new);
		left.off = new.end;
	}
	return err;
}

/* --- reading a file --- */

/* Numbers, each after a blank, up to the end of the line. */
static bool parse_numbers(const char **text, uint64_t *numbers, unsigned int count)
{
	while (count--)
		if (*(*text)++ != ' ' || number_parse(text, numbers++))
			return false;
	return true;
}

static int parse_blob(struct trace *trace, const char *text, const char *end, const char **why)
{
	char name[OD_KEY_MAX + 1];
	unsigned int before = trace->nr_blobs;
	uint64_t size;
	int index;

	*why = "invalid blob";
	if (trace->nr_ranges || !parse_numbers(&text, &size, 1) || *text++ != ' ' ||
	    (size_t)(end - text) > OD_KEY_MAX)
		return -EINVAL;
	memcpy(name, text, (size_t)(end - text));
	name[end - text] = '\0';
	index = trace_blob(trace, name, size);
	if (index == -E2BIG)
		*why = "too many blobs";
	if (index < 0)
		return index;
	return (unsigned int)index == before ? 0 : -EINVAL;
}

static int parse_range(struct trace *trace, const char *text, const char *end, const char **why)
{
	struct trace_range range;
	uint64_t numbers[3], size;
	int err;

	*why = "invalid range";
	if (!parse_numbers(&text, numbers, 3) || text != end || numbers[0] >= trace->nr_blobs)
		return -EINVAL;
	size = trace->blobs[numbers[0]].size;
	*why = "range beyond the end of its blob";
	if (!numbers[2] || numbers[1] >= size || numbers[2] > size - numbers[1])
		return -EINVAL;
	range.blob = (unsigned int)numbers[0];
	range.off = numbers[1];
	range.end = numbers[1] + numbers[2];
	*why = "range not of whole blocks";
	if (range.off % TRACE_BLOCK || (range.end % TRACE_BLOCK && range.end != size))
		return -EINVAL;
	err = append(trace, &range);
	*why = "too many ranges";
	return err;
}

static int parse_line(struct trace *trace, const char *text, const char *end, const char **why)
{
	if (!strncmp(text, "read ", 5))
		return parse_range(trace, text + 4, end, why);
	if (!strncmp(text, "blob ", 5))
		return parse_blob(trace, text + 4, end, why);
	*why = "neither blob nor read";
	return -EINVAL;
}

static int compare(const void *a, const void *b, void *arg)
{
	const struct trace *trace = arg;
	const struct trace_range *x = &trace->ranges[*(const uint32_t *)a];
	const struct trace_range *y = &trace->ranges[*(const uint32_t *)b];

	if (x->blob != y->blob)
		return x->blob < y->blob ? -1 : 1;
	return (x->off > y->off) - (x->off < y->off);
}

/**
 * trace_sort - sort the ranges by blob and offset
 * @trace: the trace
 *
 * Return: their indices, which the caller frees; NULL if out of memory
 */
uint32_t *trace_sort(const struct trace *trace)
{
	uint32_t *sorted = calloc((size_t)trace->nr_ranges + 1, sizeof(*sorted));
	uint32_t i;

	if (!sorted)
		return NULL;
	for (i = 0; i < trace->nr_ranges; i++)
		sorted[i] = i;
	qsort_r(sorted, trace->nr_ranges, sizeof(*sorted), compare, (void *)trace);
	return sorted;
}

static int check_overlaps(const struct trace *trace, const char **why)
{
	uint32_t *sorted = trace_sort(trace);
	int err = sorted ? 0 : -ENOMEM;
	unsigned int i;

	*why = sorted ? "ranges that overlap" : "out of memory";
	for (i = 1; !err && i < trace->nr_ranges; i++) {
		const struct trace_range *a = &trace->ranges[sorted[i - 1]];
		const struct trace_range *b = &trace->ranges[sorted[i]];

		if (a->blob == b->blob && a->end > b->off)
			err = -EINVAL;
	}
	free(sorted);
	return err;
}

static int parse_lines(struct trace *trace, const char *text, const char **why)
{
	const char *end;
	int err = 0;

	for (; !err && *text; text = end + 1) {
		end = strchr(text, '\n');
		*why = "a line without an end";
		if (!end)
			return -EINVAL;
		err = parse_line(trace, text, end, why);
	}
	return err;
}

/**
 * trace_parse - read and check a trace
 * @trace: set; free it after success
 * @text: the file's content, followed by a NUL
 * @len: its length, without the NUL
 * @why: set on failure: the reason
 *
 * Return: 0, -EINVAL, -E2BIG or -ENOMEM
 */
int trace_parse(struct trace *trace, const char *text, size_t len, const char **why)
{
	int err;

	memset(trace, 0, sizeof(*trace));
	*why = "too long";
	if (len > TRACE_TEXT_MAX)
		return -E2BIG;
	*why = "not a trace of this version";
	if (strlen(text) != len || strncmp(text, HEAD, sizeof(HEAD) - 1))
		return -EINVAL;
	err = parse_lines(trace, text + sizeof(HEAD) - 1, why);
	if (!err)
		err = check_overlaps(trace, why);
	if (err)
		trace_free(trace);
	return err;
}

/**
 * trace_print - write a trace
 * @trace: the trace
 * @out: output
 *
 * Return: 0 or -EIO
 */
int trace_print(const struct trace *trace, FILE *out)
{
	unsigned int i;

	fputs(HEAD, out);
	for (i = 0; i < trace->nr_blobs; i++)
		fprintf(out, "blob %" PRIu64 " %s\n", trace->blobs[i].size, trace->blobs[i].name);
	for (i = 0; i < trace->nr_ranges; i++)
		fprintf(out, "read %u %" PRIu64 " %" PRIu64 "\n", trace->ranges[i].blob,
			trace->ranges[i].off, trace->ranges[i].end - trace->ranges[i].off);
	return ferror(out) ? -EIO : 0;
}

/** trace_bytes - sum of the lengths of all ranges */
uint64_t trace_bytes(const struct trace *trace)
{
	uint64_t sum = 0;
	unsigned int i;

	for (i = 0; i < trace->nr_ranges; i++)
		sum += trace->ranges[i].end - trace->ranges[i].off;
	return sum;
}

/** trace_free - free the contents of a trace and leave it empty */
void trace_free(struct trace *trace)
{
	free(trace->blobs);
	free(trace->ranges);
	memset(trace, 0, sizeof(*trace));
}
