// SPDX-License-Identifier: GPL-2.0-only
/*
 * Trace events. These wrappers keep the tracepoint headers out of files that are also tested in
 * user space.
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

/* A READ was delivered to the daemon. */
void cachefiles_od_trace_sent(const struct cachefiles_od_request *req)
{
	trace_cachefiles_od_read_sent(req, age_of(req), 0);
}

/* A READ has ended: completed by the daemon, or failed. */
void cachefiles_od_trace_ended(const struct cachefiles_od_request *req, int error)
{
	if (error)
		trace_cachefiles_od_read_failed(req, age_of(req), error);
	else
		trace_cachefiles_od_read_completed(req, age_of(req), 0);
}

/* A presence map with @bytes bytes was committed, or failed to be. */
void cachefiles_od_trace_commit(const struct cachefiles_od_cookie *cookie, u64 bytes, int error)
{
	trace_cachefiles_od_commit(cookie, bytes, error);
}

/* A file or directory of @bytes bytes was removed, or failed to be. */
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
