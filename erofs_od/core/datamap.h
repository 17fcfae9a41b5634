/* SPDX-License-Identifier: GPL-2.0-only */
/* A file's data as ranges of blobs. Files with equal maps have equal data. */
#ifndef OD_CORE_DATAMAP_H
#define OD_CORE_DATAMAP_H

#include "od/types.h"

/** OD_DATARUN_HOLE - no blob: the run is zeroes */
#define OD_DATARUN_HOLE		((u64)0)
/** OD_DATARUN_INLINE - no blob: the bytes are in the map */
#define OD_DATARUN_INLINE	(~(u64)0)

/**
 * struct od_datarun - a run of bytes of a file, in file order
 * @blob: number that the caller gave the blob, or OD_DATARUN_*
 * @off: first byte in the blob; 0 if there is none
 * @len: bytes
 */
struct od_datarun {
	u64 blob;
	u64 off;
	u64 len;
};

/**
 * struct od_datamap - the data of a file
 * @domain: number that the caller gave the domain: maps of different domains differ
 * @size: bytes of the file
 * @timeout_ms: deadline of its readers; maps with different ones differ
 * @nr: runs
 * @tail: bytes of inline data, which follow the last run
 * @zero: 0
 * @run: the runs, merged where possible
 *
 * It has no padding, so it can be hashed and compared as bytes.
 */
struct od_datamap {
	u64 domain;
	u64 size;
	u32 timeout_ms;
	u32 nr;
	u32 tail;
	u32 zero;
	struct od_datarun run[];
};

/** od_datamap_bytes - size of a map with @nr runs and @tail bytes of inline data */
static inline size_t od_datamap_bytes(u32 nr, u32 tail)
{
	return sizeof(struct od_datamap) + nr * sizeof(struct od_datarun) + tail;
}

/**
 * od_datamap_add - add a run at the end of a map
 * @map: map
 * @max: capacity in runs
 * @blob: as in struct od_datarun, but not %OD_DATARUN_INLINE
 * @off: first byte in the blob
 * @len: bytes, not 0
 *
 * Return: 0, or -E2BIG if the map is full or ends with inline data.
 */
int od_datamap_add(struct od_datamap *map, u32 max, u64 blob, u64 off, u64 len);

/**
 * od_datamap_add_tail - end a map with inline data
 * @map: map
 * @max: capacity in runs
 * @len: bytes, not 0
 *
 * Return: where to copy the bytes to, or NULL where od_datamap_add() would fail.
 */
u8 *od_datamap_add_tail(struct od_datamap *map, u32 max, u32 len);

/**
 * od_datamap_equal - whether two files have the same data, in the same domain
 * @a: map
 * @b: map
 */
bool od_datamap_equal(const struct od_datamap *a, const struct od_datamap *b);

#endif /* OD_CORE_DATAMAP_H */
