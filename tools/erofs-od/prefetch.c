// SPDX-License-Identifier: GPL-2.0-only
#include <errno.h>
#include <fcntl.h>
#include <ftw.h>
#include <inttypes.h>
#include <limits.h>
#include <linux/openat2.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>
#include <sys/queue.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/sysmacros.h>
#include <unistd.h>

#include "cli.h"
#include "command.h"
#include "human.h"
#include "log.h"
#include "status.h"
#include "text.h"

#define READERS_DEFAULT	8
#define READERS_MAX	64
/* Large files are read by several threads. */
#define PART		(8U << 20)
#define BUFFER		(1U << 20)
#define PARTS_MAX	1024
/* Further errors are counted only. */
#define ERRORS_SHOWN	10

/**
 * struct part - a part of a file
 * @link: in the queue
 * @path: of the file
 * @off: where it begins
 */
struct part {
	STAILQ_ENTRY(part) link;
	char *path;
	uint64_t off;
};

/**
 * struct reading - state of the command
 * @readers: number of threads
 * @root: fd of the mount's root
 * @lock: protects the queue
 * @changed: the queue has become longer or shorter, or @ended
 * @parts: parts to read
 * @count: number of @parts
 * @ended: no more parts will be added
 * @files: files found
 * @bytes: bytes read
 * @errors: files and parts that could not be read
 */
static struct reading {
	unsigned int readers;
	int root;
	pthread_mutex_t lock;
	pthread_cond_t changed;
	STAILQ_HEAD(, part) parts;
	unsigned int count;
	bool ended;
	atomic_ullong files, bytes, errors;
} reading = {
	.readers = READERS_DEFAULT,
	.lock = PTHREAD_MUTEX_INITIALIZER,
	.changed = PTHREAD_COND_INITIALIZER,
	.parts = STAILQ_HEAD_INITIALIZER(reading.parts),
};

static const struct argp_option options[] = {
	{ "readers", 'r', "N", 0, "Read so many files at once (8)", 0 },
	{ 0 },
};

static error_t parse_option(void *input, int key, char *text, struct argp_state *state)
{
	unsigned long value;
	char *end;

	(void)input;
	if (key != 'r')
		return ARGP_ERR_UNKNOWN;
	value = strtoul(text, &end, 10);
	if (*text < '0' || *text > '9' || *end || !value || value > READERS_MAX)
		argp_error(state, "invalid --readers '%s': not a number from 1 to %d", text, READERS_MAX);
	reading.readers = (unsigned int)value;
	return 0;
}

static const struct cli cli = {
	.doc = "Read all of a mounted image, or these files and directories of it, so that they are "
	       "in the cache. IMAGE is its name or where it is mounted.",
	.shared = CLI_PROC,
	.options = options,
	.args_doc = "IMAGE [PATH...]",
	.required = { "IMAGE" },
	.max_args = UINT_MAX,
	.parse = parse_option,
};

static void failed(const char *path, int err)
{
	if (reading.errors++ < ERRORS_SHOWN)
		log_err("%s: %s", path, strerror(err));
}

/* --- reading --- */

/* The image may have any type of file here: O_NONBLOCK is for FIFOs. */
static int open_file(const char *path)
{
	return open(path, O_RDONLY | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK | O_NOCTTY);
}

static void read_part(const struct part *part, char *buf)
{
	int fd = open_file(part->path);
	uint64_t off = part->off, end = part->off + PART;
	ssize_t n = 1;

	while (fd >= 0 && n > 0 && off < end) {
		n = pread(fd, buf, BUFFER, (off_t)off);
		if (n > 0) {
			off += (uint64_t)n;
			reading.bytes += (unsigned long long)n;
		}
	}
	if (fd < 0 || n < 0)
		failed(part->path, errno);
	if (fd >= 0)
		close(fd);
}

static struct part *take_part(void)
{
	struct part *part;

	pthread_mutex_lock(&reading.lock);
	while (!(part = STAILQ_FIRST(&reading.parts)) && !reading.ended)
		pthread_cond_wait(&reading.changed, &reading.lock);
	if (part) {
		STAILQ_REMOVE_HEAD(&reading.parts, link);
		reading.count--;
		pthread_cond_broadcast(&reading.changed);
	}
	pthread_mutex_unlock(&reading.lock);
	return part;
}

static void *reader(void *arg)
{
	char *buf = arg;
	struct part *part;

	while ((part = take_part()) != NULL) {
		read_part(part, buf);
		free(part->path);
		free(part);
	}
	free(buf);
	return NULL;
}

/* --- finding --- */

static int add_part(const char *path, uint64_t off)
{
	struct part *part = malloc(sizeof(*part));

	if (!part)
		return -ENOMEM;
	part->path = text_copy(path);
	part->off = off;
	pthread_mutex_lock(&reading.lock);
	while (reading.count == PARTS_MAX)
		pthread_cond_wait(&reading.changed, &reading.lock);
	STAILQ_INSERT_TAIL(&reading.parts, part, link);
	reading.count++;
	pthread_cond_broadcast(&reading.changed);
	pthread_mutex_unlock(&reading.lock);
	return 0;
}

/* Adds the parts that have data: an image may have huge holes, which need no reading. */
static int add_parts(const char *path)
{
	uint64_t off = 0;
	off_t data = 0;
	int fd = open_file(path), err = 0;

	while (fd >= 0 && !err && off <= INT64_MAX) {
		data = lseek(fd, (off_t)off, SEEK_DATA);
		if (data < 0)
			break;
		off = (uint64_t)data - (uint64_t)data % PART;
		err = add_part(path, off);
		off += PART;
	}
	/* ENXIO: no more data. */
	if (fd < 0 || (data < 0 && errno != ENXIO))
		failed(path, errno);
	if (fd >= 0)
		close(fd);
	return err;
}

static int visit(const char *path, const struct stat *st, int type, struct FTW *ftw)
{
	(void)ftw;
	if (type == FTW_DNR || type == FTW_NS) {
		failed(path, errno);
		return 0;
	}
	if (type != FTW_F || !S_ISREG(st->st_mode))
		return 0;
	reading.files++;
	return add_parts(path) ? ENOMEM : 0;
}

/* Opens a path in the image; symbolic links cannot lead out of it. */
static int open_in_image(const char *path)
{
	struct open_how how = { .flags = O_PATH | O_CLOEXEC,
				.resolve = RESOLVE_IN_ROOT | RESOLVE_NO_XDEV |
					   RESOLVE_NO_MAGICLINKS };

	return (int)syscall(SYS_openat2, reading.root, path, &how, sizeof(how));
}

static void find(const char *path)
{
	int fd = open_in_image(path), err;
	char start[64], real[PATH_MAX];
	ssize_t n;

	if (fd < 0) {
		failed(path, errno);
		return;
	}
	snprintf(start, sizeof(start), "/proc/self/fd/%d", fd);
	n = readlink(start, real, sizeof(real) - 1);
	real[n < 0 ? 0 : n] = '\0';
	err = n < 0 ? errno : nftw(real, visit, 16, FTW_PHYS | FTW_MOUNT);
	if (err)
		failed(path, err < 0 ? errno : err);
	close(fd);
}

static void find_all(char **paths)
{
	if (!*paths)
		find("/");
	for (; *paths; paths++)
		find(*paths);
}

/* --- the command --- */

static const struct mounted *find_image(const struct status *status, const char *image,
					const char **target)
{
	size_t i, k;

	for (i = 0; i < status->mount_count; i++) {
		const struct mounted *mounted = &status->mounts[i];

		for (k = 0; k < mounted->target_count; k++) {
			*target = mounted->targets[k];
			if (!strcmp(mounted->fsid, image) || !strcmp(*target, image))
				return mounted;
		}
	}
	log_err("%s: no image of this name is mounted here", image);
	return NULL;
}

/* Something else may be mounted over it. */
static int open_root(const struct mounted *mounted, const char *target)
{
	char dev[32];
	struct stat st;

	reading.root = open(target, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (reading.root < 0 || fstat(reading.root, &st)) {
		log_err("%s: %s", target, strerror(errno));
		return -errno;
	}
	snprintf(dev, sizeof(dev), "%u:%u", major(st.st_dev), minor(st.st_dev));
	if (strcmp(dev, mounted->dev)) {
		log_err("%s: another file system is mounted over the image", target);
		return -EXDEV;
	}
	return 0;
}

static unsigned int start_readers(pthread_t *threads)
{
	unsigned int i;
	char *buf;

	for (i = 0; i < reading.readers; i++) {
		buf = malloc(BUFFER);
		if (!buf || pthread_create(&threads[i], NULL, reader, buf)) {
			free(buf);
			break;
		}
	}
	if (!i)
		log_err("failed to start a thread");
	return i;
}

static int read_all(char **paths)
{
	pthread_t threads[READERS_MAX];
	unsigned int i, count = start_readers(threads);

	if (!count)
		return OD_EXIT_FAILED;
	find_all(paths);
	pthread_mutex_lock(&reading.lock);
	reading.ended = true;
	pthread_cond_broadcast(&reading.changed);
	pthread_mutex_unlock(&reading.lock);
	for (i = 0; i < count; i++)
		pthread_join(threads[i], NULL);
	return OD_EXIT_OK;
}

static int report(const char *image)
{
	char text[HUMAN_SIZE];

	printf("%s: %s in %llu files\n", image, human_bytes(reading.bytes, text), reading.files);
	if (reading.errors)
		log_err("%llu errors", reading.errors);
	return fflush(stdout) || reading.errors ? OD_EXIT_FAILED : OD_EXIT_OK;
}

int command_prefetch(int argc, char **argv)
{
	const struct mounted *mounted;
	const char *missing, *target;
	struct cli_values values;
	struct status status;
	int err, result = OD_EXIT_FAILED;

	cli_parse(&cli, argc, argv, &values, NULL);
	err = status_load(&status, values.proc, &missing);
	if (err)
		result = status_explain(values.proc, missing, err);
	mounted = err ? NULL : find_image(&status, values.args[0], &target);
	if (mounted && !open_root(mounted, target)) {
		result = read_all(values.args + 1);
		if (result == OD_EXIT_OK)
			result = report(values.args[0]);
	}
	status_free(&status);
	return result;
}
