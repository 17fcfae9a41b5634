// SPDX-License-Identifier: GPL-2.0-only
/* Blobs that are files in a folder. */
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "source.h"
#include "stats.h"

static int check_file(struct source *source, struct fetcher *fetcher, int fd, uint64_t *size)
{
	struct stat st;
	int err;

	if (fstat(fd, &st)) {
		err = -errno;
		return fetcher_fail(fetcher, err, "%s: %s", source->shown, strerror(-err));
	}
	if (!S_ISREG(st.st_mode))
		return fetcher_fail(fetcher, -EINVAL, "%s: not a regular file", source->shown);
	*size = (uint64_t)st.st_size;
	return 0;
}

static int dir_open(struct source *source, struct fetcher *fetcher, const char *name,
		    struct source_file *file)
{
	/* O_NONBLOCK: a fifo of that name must not stop the daemon */
	int fd = openat(source->dirfd, name, O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_NOCTTY);
	int err;

	if (fd < 0) {
		err = -errno;
		return fetcher_fail(fetcher, err, "%s: %s", source->shown, strerror(-err));
	}
	err = check_file(source, fetcher, fd, &file->size);
	if (err) {
		close(fd);
		return err;
	}
	file->fd = fd;
	return 0;
}

/* Brings one piece, so that a cancel is noticed between two of them. */
static int fetch_piece(struct source_file *file, struct fetcher *fetcher, struct fill *fill)
{
	static _Thread_local char piece[64 << 10];
	uint64_t wanted = fill_wanted(fill);
	size_t len = wanted < sizeof(piece) ? (size_t)wanted : sizeof(piece);
	uint64_t off = fill->end - wanted;
	ssize_t n;
	int err;

	do {
		n = pread(file->fd, piece, len, (off_t)off);
	} while (n < 0 && errno == EINTR);
	if (n < 0) {
		err = -errno;
		return fetcher_fail(fetcher, err, "%s: %s", file->source->shown, strerror(-err));
	}
	if (!n)
		return fetcher_fail(fetcher, -EIO, "%s: the file ends at %" PRIu64
				    ", it had %" PRIu64 " bytes when it was opened",
				    file->source->shown, off, file->size);
	stats_first_byte();
	stats.bytes_fetched += (unsigned long long)n;
	err = fill_add(fill, piece, (size_t)n);
	if (err)
		return fetcher_fail(fetcher, err, "writing to the cache: %s", strerror(-err));
	return 0;
}

static int dir_fetch(struct source_file *file, struct fetcher *fetcher, struct fill *fill)
{
	uint64_t size;
	int err = check_file(file->source, fetcher, file->fd, &size);

	if (err)
		return err;
	if (size != file->size)
		return fetcher_fail(fetcher, -EIO, "%s: the file has %" PRIu64 " bytes now, it had %"
				    PRIu64 " when it was opened", file->source->shown, size,
				    file->size);
	while (fill_wanted(fill)) {
		if (fetcher_canceled(fetcher))
			return fetcher_fail(fetcher, -ECANCELED, "given up");
		err = fetch_piece(file, fetcher, fill);
		if (err)
			return err;
	}
	return 0;
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
