/* SPDX-License-Identifier: GPL-2.0-only */
/* Tracepoints: /sys/kernel/tracing/events/cachefiles_od. Names are cut where they are long. */
#undef TRACE_SYSTEM
#define TRACE_SYSTEM cachefiles_od

#if !defined(CACHEFILES_OD_TRACE_H) || defined(TRACE_HEADER_MULTI_READ)
#define CACHEFILES_OD_TRACE_H

#include <linux/tracepoint.h>

#define CACHEFILES_OD_TRACE_NAME	80

DECLARE_EVENT_CLASS(cachefiles_od_read_class,
	TP_PROTO(const struct cachefiles_od_request *req, unsigned int age_ms, int error),
	TP_ARGS(req, age_ms, error),
	TP_STRUCT__entry(
		__array(char, volume, CACHEFILES_OD_TRACE_NAME)
		__array(char, blob, CACHEFILES_OD_TRACE_NAME)
		__field(u32, cache)
		__field(u32, msg_id)
		__field(u64, start)
		__field(u64, len)
		__field(u32, age_ms)
		__field(int, error)
	),
	TP_fast_assign(
		strscpy(__entry->volume, req->cookie->volume->key, CACHEFILES_OD_TRACE_NAME);
		strscpy(__entry->blob, req->cookie->name, CACHEFILES_OD_TRACE_NAME);
		__entry->cache = req->cookie->volume->cache->id;
		__entry->msg_id = req->msg_id;
		__entry->start = req->range.start;
		__entry->len = req->range.end - req->range.start;
		__entry->age_ms = age_ms;
		__entry->error = error;
	),
	TP_printk("cache=%u volume=%s blob=%s msg_id=%u start=%llu len=%llu age_ms=%u error=%d",
		  __entry->cache, __entry->volume, __entry->blob, __entry->msg_id,
		  __entry->start, __entry->len, __entry->age_ms, __entry->error)
);

DEFINE_EVENT(cachefiles_od_read_class, cachefiles_od_read_sent,
	TP_PROTO(const struct cachefiles_od_request *req, unsigned int age_ms, int error),
	TP_ARGS(req, age_ms, error));

DEFINE_EVENT(cachefiles_od_read_class, cachefiles_od_read_completed,
	TP_PROTO(const struct cachefiles_od_request *req, unsigned int age_ms, int error),
	TP_ARGS(req, age_ms, error));

DEFINE_EVENT(cachefiles_od_read_class, cachefiles_od_read_failed,
	TP_PROTO(const struct cachefiles_od_request *req, unsigned int age_ms, int error),
	TP_ARGS(req, age_ms, error));

TRACE_EVENT(cachefiles_od_commit,
	TP_PROTO(const struct cachefiles_od_cookie *cookie, u64 bytes, int error),
	TP_ARGS(cookie, bytes, error),
	TP_STRUCT__entry(
		__array(char, volume, CACHEFILES_OD_TRACE_NAME)
		__array(char, blob, CACHEFILES_OD_TRACE_NAME)
		__field(u32, cache)
		__field(u64, bytes)
		__field(int, error)
	),
	TP_fast_assign(
		strscpy(__entry->volume, cookie->volume->key, CACHEFILES_OD_TRACE_NAME);
		strscpy(__entry->blob, cookie->name, CACHEFILES_OD_TRACE_NAME);
		__entry->cache = cookie->volume->cache->id;
		__entry->bytes = bytes;
		__entry->error = error;
	),
	TP_printk("cache=%u volume=%s blob=%s present=%llu error=%d", __entry->cache,
		  __entry->volume, __entry->blob, __entry->bytes, __entry->error)
);

TRACE_EVENT(cachefiles_od_cull,
	TP_PROTO(const struct cachefiles_od_cache *cache, const char *name, u64 bytes, int error),
	TP_ARGS(cache, name, bytes, error),
	TP_STRUCT__entry(
		__array(char, name, CACHEFILES_OD_TRACE_NAME)
		__field(u32, cache)
		__field(u64, bytes)
		__field(int, error)
	),
	TP_fast_assign(
		strscpy(__entry->name, name, CACHEFILES_OD_TRACE_NAME);
		__entry->cache = cache->id;
		__entry->bytes = bytes;
		__entry->error = error;
	),
	TP_printk("cache=%u name=%s bytes=%llu error=%d", __entry->cache, __entry->name,
		  __entry->bytes, __entry->error)
);

#endif /* CACHEFILES_OD_TRACE_H */

/* With -I of the tree's root: see Kbuild. */
#undef TRACE_INCLUDE_PATH
#define TRACE_INCLUDE_PATH cachefiles_od
#undef TRACE_INCLUDE_FILE
#define TRACE_INCLUDE_FILE trace
#include <trace/define_trace.h>
