// SPDX-License-Identifier: GPL-2.0-only
/*
 * Events for tracing. The functions keep the tracepoints' headers out of the files that are
 * tested in user space as well.
 */
#include "internal.h"

#include <linux/dcache.h>
#include <linux/jiffies.h>
#include <linux/string.h>

#define CREATE_TRACE_POINTS
#include "trace.h"

static unsigned int age_of(const struct cachefiles_od_request *req)
{
	return jiffies_to_msecs(jiffies - req->born);
}

/* The daemon has got a READ. */
void cachefiles_od_trace_sent(const struct cachefiles_od_request *req)
{
	trace_cachefiles_od_read_sent(req, age_of(req), 0);
}

/* A READ has ended: the daemon has completed it, or it failed. */
void cachefiles_od_trace_ended(const struct cachefiles_od_request *req, int error)
{
	if (error)
		trace_cachefiles_od_read_failed(req, age_of(req), error);
	else
		trace_cachefiles_od_read_completed(req, age_of(req), 0);
}

/* A presence map with so many bytes was committed, or could not be. */
void cachefiles_od_trace_commit(const struct cachefiles_od_cookie *cookie, u64 bytes, int error)
{
	trace_cachefiles_od_commit(cookie, bytes, error);
}

/* A file or directory of so many bytes was removed, or could not be. */
void cachefiles_od_trace_cull(const struct cachefiles_od_cache *cache, struct dentry *victim,
			      u64 bytes, int error)
{
	struct name_snapshot name;

	if (!trace_cachefiles_od_cull_enabled())
		return;
	take_dentry_name_snapshot(&name, victim);
	trace_cachefiles_od_cull(cache, od_compat_snapshot_name(&name), bytes, error);
	release_dentry_name_snapshot(&name);
}
