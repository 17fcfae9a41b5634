// SPDX-License-Identifier: GPL-2.0-only
/* Blobs that are files in a folder. */
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "source.h"
#include "stats.h"

static int fail_errno(struct source *source, struct fetcher *fetcher, int err)
{
	return fetcher_fail(fetcher, err, "%s: %s", source->shown, strerror(-err));
}

static struct dir_version version_of(const struct stat *st)
{
	return (struct dir_version){ st->st_dev, st->st_ino, st->st_mtim, st->st_ctim };
}

static bool same_time(const struct timespec *a, const struct timespec *b)
{
	return a->tv_sec == b->tv_sec && a->tv_nsec == b->tv_nsec;
}

static void write_validator(struct source_file *file)
{
	const struct dir_version *seen = &file->seen;

	snprintf(file->validator, sizeof(file->validator), "%lld.%09ld-%ju-%" PRIu64 "-%lld.%09ld",
		 (long long)seen->mtime.tv_sec, seen->mtime.tv_nsec, (uintmax_t)seen->ino,
		 file->size, (long long)seen->ctime.tv_sec, seen->ctime.tv_nsec);
}

static int look_at_file(struct source_file *file, struct source *source, struct fetcher *fetcher)
{
	struct stat st;

	if (fstat(file->fd, &st))
		return fail_errno(source, fetcher, -errno);
	if (!S_ISREG(st.st_mode))
		return fetcher_fail(fetcher, -EINVAL, "%s: not a regular file", source->shown);
	file->size = (uint64_t)st.st_size;
	file->seen = version_of(&st);
	write_validator(file);
	return 0;
}

static int dir_open(struct source *source, struct fetcher *fetcher, const char *name,
		    struct source_file *file)
{
	int err;

	/* O_NONBLOCK: a fifo of that name must not stop the daemon */
	file->fd = openat(source->dirfd, name, O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_NOCTTY);
	if (file->fd < 0)
		return fail_errno(source, fetcher, -errno);
	err = look_at_file(file, source, fetcher);
	if (err)
		close(file->fd);
	return err;
}

/*
 * Does the name still lead to the file that was opened, and is that as it was?
 * Asked before the first byte is read and after each piece before it is filled.
 */
static int check_version(const struct source_file *file, struct fetcher *fetcher)
{
	const char *shown = file->source->shown;
	struct dir_version now;
	struct stat st;

	if (fstatat(file->source->dirfd, file->name, &st, 0)) {
		if (errno != ENOENT)
			return fail_errno(file->source, fetcher, -errno);
		return fetcher_fail(fetcher, -ESTALE, "%s: the file is gone", shown);
	}
	now = version_of(&st);
	if (now.dev != file->seen.dev || now.ino != file->seen.ino)
		return fetcher_fail(fetcher, -ESTALE, "%s: the file was replaced by another one",
				    shown);
	if ((uint64_t)st.st_size != file->size)
		return fetcher_fail(fetcher, -ESTALE, "%s: the file has %" PRIu64 " bytes now, it "
				    "had %" PRIu64 " when it was opened", shown,
				    (uint64_t)st.st_size, file->size);
	if (!same_time(&now.mtime, &file->seen.mtime) || !same_time(&now.ctime, &file->seen.ctime))
		return fetcher_fail(fetcher, -ESTALE, "%s: the file was changed since it was opened",
				    shown);
	return 0;
}

/* Brings one piece, so that a cancel is noticed between two of them. */
static int fetch_piece(struct source_file *file, struct fetcher *fetcher, struct fill *fill)
{
	size_t len;
	char *space = fill_space(fill, &len);
	ssize_t n;
	int err;

	do {
		n = pread(file->fd, space, len, (off_t)(fill->off + fill->used));
	} while (n < 0 && errno == EINTR);
	if (n < 0)
		return fail_errno(file->source, fetcher, -errno);
	err = check_version(file, fetcher);
	if (err)
		return err;
	if (!n)
		return fetcher_fail(fetcher, -EIO, "%s: the file ends at %" PRIu64,
				    file->source->shown, fill->off + fill->used);
	stats_first_byte();
	stats.bytes_fetched += (unsigned long long)n;
	err = fill_took(fill, (size_t)n);
	if (err)
		return fetcher_fail(fetcher, err, "writing to the cache: %s", strerror(-err));
	return 0;
}

static int dir_fetch(struct source_file *file, struct fetcher *fetcher, struct fill *fill)
{
	int err = check_version(file, fetcher);

	while (!err && fill_wanted(fill)) {
		if (fetcher_canceled(fetcher))
			return fetcher_fail(fetcher, -ECANCELED, "given up");
		err = fetch_piece(file, fetcher, fill);
	}
	return err;
}

static void dir_close(struct source_file *file)
{
	close(file->fd);
}

const struct source_ops source_dir_ops = {
	.open = dir_open,
	.fetch = dir_fetch,
	.close = dir_close,
};
