// SPDX-License-Identifier: GPL-2.0-only
/*
 * Hits, misses, bytes, waits and errors per cache, blob and mount, all counted when a piece of
 * a read ends.
 */
#include "internal.h"

#include <linux/jiffies.h>
#include <linux/module.h>
#include <linux/seq_file.h>
#include <linux/timekeeping.h>

#include "core/use.h"

static_assert(CACHEFILES_OD_USE_WAITS == OD_USE_WAITS);
static_assert(CACHEFILES_OD_USE_ERRNOS == OD_USE_ERRNOS);

/* Result of a piece of a read. */
struct result {
	u64 bytes;
	int error;
	bool missed;
	unsigned int wait;
};

static void count(struct cachefiles_od_use *use, const struct result *result)
{
	if (!use)
		return;
	if (result->error)
		atomic_inc(&use->errors[od_use_errno(result->error)]);
	else
		atomic64_add(result->bytes, &use->served);
	if (result->missed) {
		atomic64_inc(&use->misses);
		atomic_inc(&use->waits[result->wait]);
	}
}

static void count_hit(struct cachefiles_od_use *use, u64 bytes)
{
	atomic64_add(bytes, &use->served);
	atomic64_inc(&use->hits);
}

/* Seconds suffice to order uses, and need no clock read. */
void cachefiles_od_use_note(struct cachefiles_od_cookie *cookie, u64 start, u64 len)
{
	time64_t now = ktime_get_real_seconds();
	u64 region = start >> cookie->region_shift;
	u64 last = (start + len - 1) >> cookie->region_shift;

	WRITE_ONCE(cookie->used, now);
	for (; region <= last && region < cookie->nr_regions; region++)
		WRITE_ONCE(cookie->region_used[region], (u32)now);
}

static void count_piece(const struct cachefiles_od_piece *piece, int error)
{
	struct cachefiles_od_cookie *cookie = piece->read->cookie;
	const struct result result = {
		.bytes = piece->len,
		.error = error,
		.missed = piece->missed,
		.wait = piece->missed ? od_use_wait(jiffies_to_msecs(jiffies - piece->since)) : 0,
	};

	count(&cachefiles_od_cookie_cache(cookie)->use, &result);
	count(&cookie->use, &result);
	count(piece->read->use, &result);
}

/* A piece has ended. */
void cachefiles_od_use_piece(const struct cachefiles_od_piece *piece, int error)
{
	struct cachefiles_od_cookie *cookie = piece->read->cookie;

	if (error || piece->missed) {
		count_piece(piece, error);
		return;
	}
	count_hit(&cachefiles_od_cookie_cache(cookie)->use, piece->len);
	count_hit(&cookie->use, piece->len);
	if (piece->read->use)
		count_hit(piece->read->use, piece->len);
}

/* A blob could not be opened: only the cache can count it. */
void cachefiles_od_use_failed_open(struct cachefiles_od_cookie *cookie, int error)
{
	atomic_inc(&cachefiles_od_cookie_cache(cookie)->use.errors[od_use_errno(error)]);
}

unsigned int cachefiles_od_use_timeouts(const struct cachefiles_od_use *use)
{
	return atomic_read(&use->errors[od_use_errno(-ETIMEDOUT)]);
}

void cachefiles_od_use_show_errors(struct seq_file *m, const struct cachefiles_od_use *use)
{
	const char *separator = "";
	unsigned int class;
	int nr;

	for (class = 0; class < OD_USE_ERRNOS; class++) {
		nr = atomic_read(&use->errors[class]);
		if (!nr)
			continue;
		seq_printf(m, "%s%s:%u", separator, od_use_errno_name(class), nr);
		separator = ",";
	}
	if (!*separator)
		seq_putc(m, '-');
}

/* Prints all classes, so that programs that sum them need not know how many there are. */
void cachefiles_od_use_show_waits(struct seq_file *m, const struct cachefiles_od_use *use)
{
	unsigned int class;

	for (class = 0; class < OD_USE_WAITS; class++)
		seq_printf(m, "%s%u", class ? "," : "", atomic_read(&use->waits[class]));
}

const char *cachefiles_od_use_head(void)
{
	return "\thits\tmisses\tbytes_served\terrors\ttimeouts\twaits_ms";
}
EXPORT_SYMBOL_GPL(cachefiles_od_use_head);

void cachefiles_od_use_show(struct seq_file *m, const struct cachefiles_od_use *use)
{
	seq_printf(m, "\t%lld\t%lld\t%lld\t", atomic64_read(&use->hits),
		   atomic64_read(&use->misses), atomic64_read(&use->served));
	cachefiles_od_use_show_errors(m, use);
	seq_printf(m, "\t%u\t", cachefiles_od_use_timeouts(use));
	cachefiles_od_use_show_waits(m, use);
}
EXPORT_SYMBOL_GPL(cachefiles_od_use_show);
