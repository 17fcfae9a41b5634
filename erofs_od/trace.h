/* SPDX-License-Identifier: GPL-2.0-only */
/* Tracepoints: /sys/kernel/tracing/events/erofs_od. Names are cut where they are long. */
#undef TRACE_SYSTEM
#define TRACE_SYSTEM erofs_od

#if !defined(EROFS_OD_TRACE_H) || defined(TRACE_HEADER_MULTI_READ)
#define EROFS_OD_TRACE_H

#include <linux/tracepoint.h>

#define EROFS_OD_TRACE_NAME	80

TRACE_EVENT(erofs_od_mount,
	TP_PROTO(const struct erofs_od_sb_info *sbi, int error),
	TP_ARGS(sbi, error),
	TP_STRUCT__entry(
		__array(char, fsid, EROFS_OD_TRACE_NAME)
		__array(char, domain, EROFS_OD_TRACE_NAME)
		__field(u32, blobs)
		__field(int, error)
	),
	TP_fast_assign(
		strscpy(__entry->fsid, erofs_od_name(sbi), EROFS_OD_TRACE_NAME);
		strscpy(__entry->domain, sbi->domain_id ?: "-", EROFS_OD_TRACE_NAME);
		__entry->blobs = sbi->nr_blobs;
		__entry->error = error;
	),
	TP_printk("fsid=%s domain=%s blobs=%u error=%d", __entry->fsid, __entry->domain,
		  __entry->blobs, __entry->error)
);

TRACE_EVENT(erofs_od_read_failed,
	TP_PROTO(dev_t dev, u64 ino, u64 pos, u64 len, int error),
	TP_ARGS(dev, ino, pos, len, error),
	TP_STRUCT__entry(
		__field(dev_t, dev)
		__field(u64, ino)
		__field(u64, pos)
		__field(u64, len)
		__field(int, error)
	),
	TP_fast_assign(
		__entry->dev = dev;
		__entry->ino = ino;
		__entry->pos = pos;
		__entry->len = len;
		__entry->error = error;
	),
	TP_printk("dev=%u:%u ino=%llu pos=%llu len=%llu error=%d", MAJOR(__entry->dev),
		  MINOR(__entry->dev), __entry->ino, __entry->pos, __entry->len,
		  __entry->error)
);

#endif /* EROFS_OD_TRACE_H */

/* With -I of the tree's root: see Kbuild. */
#undef TRACE_INCLUDE_PATH
#define TRACE_INCLUDE_PATH erofs_od
#undef TRACE_INCLUDE_FILE
#define TRACE_INCLUDE_FILE trace
#include <trace/define_trace.h>
