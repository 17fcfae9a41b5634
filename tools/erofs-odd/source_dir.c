// SPDX-License-Identifier: GPL-2.0-only
/* Blobs stored as files in a directory. */
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "source.h"
#include "stats.h"

/* Temporary errors: out of memory or file descriptors, an unreachable network file system. */
static bool is_passing(int err)
{
	return err == -EMFILE || err == -ENFILE || err == -ENOMEM || err == -EAGAIN ||
	       err == -EINTR || err == -ETIMEDOUT || err == -EHOSTDOWN || err == -ENOTCONN ||
	       err == -EHOSTUNREACH || err == -ENETUNREACH;
}

static int fail_errno(struct source *source, struct fetcher *fetcher, int err)
{
	fetcher_fail(fetcher, err, "%s: %s", source->shown, strerror(-err));
	if (is_passing(err))
		fetcher->hope = HOPE_LATER;
	return err;
}

/* The file's fd, or a negative errno. */
static int open_file(struct source *source, struct fetcher *fetcher, const char *name,
		     struct stat *st)
{
	/* O_NONBLOCK: a FIFO of that name must not block the daemon */
	int fd = openat(source->dirfd, name, O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_NOCTTY);
	int err;

	if (fd < 0)
		return fail_errno(source, fetcher, -errno);
	if (fstat(fd, st))
		err = fail_errno(source, fetcher, -errno);
	else if (!S_ISREG(st->st_mode))
		err = fetcher_fail(fetcher, -EINVAL, "%s: not a regular file", source->shown);
	else
		return fd;
	close(fd);
	return err;
}

static int dir_open(struct source *source, struct fetcher *fetcher, const char *name,
		    struct version *version)
{
	struct stat st;
	int fd = open_file(source, fetcher, name, &st);

	if (fd < 0)
		return fd;
	close(fd);
	memset(version, 0, sizeof(*version));
	version->place = source->index;
	version_of_file(version, &st);
	return 0;
}

/* Checks that a name still refers to the file that was opened, and that it is unchanged. */
static int check_version(struct source *source, struct fetcher *fetcher, const char *name,
			 const struct version *want, const struct stat *st)
{
	const char *shown = source->shown;
	struct version now = { .place = source->index };

	version_of_file(&now, st);
	if (version_same(want, &now, source_is_mirrored(fetcher, name)))
		return 0;
	if (now.size != want->size)
		return fetcher_fail(fetcher, -ESTALE, "%s: the file has %" PRIu64 " bytes, it had %"
				    PRIu64 " when it was opened", shown, now.size, want->size);
	if (want->ino && now.ino != want->ino)
		return fetcher_fail(fetcher, -ESTALE, "%s: the file was replaced",
				    shown);
	return fetcher_fail(fetcher, -ESTALE, "%s: the file has changed since it was opened",
			    shown);
}

static bool same_time(const struct timespec *a, const struct timespec *b)
{
	return a->tv_sec == b->tv_sec && a->tv_nsec == b->tv_nsec;
}

/*
 * Called after each piece and before it is filled: checks that the name still refers to the
 * file opened at the start of the range, and that it is unchanged.
 */
static int check_again(struct source *source, struct fetcher *fetcher, const char *name,
		       const struct stat *was)
{
	struct stat st;

	if (fstatat(source->dirfd, name, &st, 0)) {
		if (errno != ENOENT)
			return fail_errno(source, fetcher, -errno);
		return fetcher_fail(fetcher, -ESTALE, "%s: the file was removed", source->shown);
	}
	if (st.st_dev == was->st_dev && st.st_ino == was->st_ino && st.st_size == was->st_size &&
	    same_time(&st.st_mtim, &was->st_mtim) && same_time(&st.st_ctim, &was->st_ctim))
		return 0;
	return fetcher_fail(fetcher, -ESTALE, "%s: the file has changed since it was opened",
			    source->shown);
}

/* Reads one piece at a time, so that a cancellation is noticed in between. */
static int fetch_piece(struct source *source, struct fetcher *fetcher, const char *name, int fd,
		       const struct stat *was, struct fill *fill)
{
	size_t len;
	char *space = fill_space(fill, &len);
	ssize_t n;
	int err;

	do {
		n = pread(fd, space, len, (off_t)(fill->off + fill->used));
	} while (n < 0 && errno == EINTR);
	if (n < 0)
		return fail_errno(source, fetcher, -errno);
	err = check_again(source, fetcher, name, was);
	if (err)
		return err;
	if (!n)
		return fetcher_fail(fetcher, -EIO, "%s: the file ends at %" PRIu64,
				    source->shown, fill->off + fill->used);
	stats.bytes_fetched += (unsigned long long)n;
	err = fill_took(fill, (size_t)n);
	if (err)
		return fetcher_fail(fetcher, err, "write to the cache failed: %s", strerror(-err));
	return 0;
}

static int dir_fetch(struct source *source, struct fetcher *fetcher, const char *name,
		     const struct version *want, struct fill *fill)
{
	struct stat st;
	int fd = open_file(source, fetcher, name, &st);
	int err;

	if (fd == -ENOENT && want->place == source->index)
		return fetcher_fail(fetcher, -ESTALE, "%s: the file was removed", source->shown);
	if (fd < 0)
		return fd;
	err = check_version(source, fetcher, name, want, &st);
	while (!err && fill_wanted(fill)) {
		if (fetcher_canceled(fetcher))
			err = fetcher_fail(fetcher, -ECANCELED, "canceled");
		else
			err = fetch_piece(source, fetcher, name, fd, &st, fill);
	}
	close(fd);
	return err;
}

const struct source_ops source_dir_ops = {
	.open = dir_open,
	.fetch = dir_fetch,
};
