// SPDX-License-Identifier: GPL-2.0-only
/*
 * powercut: check a cache after power cuts, at many points of a log of its disk's writes.
 *
 *	powercut LOG BASE DISK LOOP FSTYPE CUTS SEED LIE BLOBS IMAGE=REFERENCE...
 *
 * LOG is the log of dm-log-writes of the writes to BASE, LOOP a loop device on DISK. For
 * each of CUTS points after the mark "begin", DISK is set to a possible state after a cut
 * there; its file system is mounted, every file of the cache is read, the cache is bound
 * and each IMAGE (mount options) is mounted and compared with the directory REFERENCE.
 * Meanwhile a daemon in a thread serves the directory BLOBS and counts.
 *
 * Marks "committed:BLOB=BYTES,..." of the log have the committed bytes that the cache
 * reported by then; BLOB is the name or a prefix of it. Committed data must be present,
 * and every byte read must be right.
 *
 * LIE is 0, or the number of entries before the cut of which a disk that ignores flushes
 * may lose any. The exit status is a sum: 1 wrong or unreadable data, 2 committed data is
 * missing, 4 other failures.
 */
#include "daemon.h"
#include "guest.h"
#include "replay.h"

#include <errno.h>
#include <fcntl.h>
#include <fts.h>
#include <linux/fs.h>
#include <poll.h>
#include <pthread.h>
#include <signal.h>
#include <stdarg.h>
#include <stdbool.h>
#include <sys/ioctl.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#define BLOBS_MAX	64
#define IMAGES_MAX	8
#define NAME_SIZE	256
#define MOUNTED		"/tmp/powercut"
#define CACHE		MOUNTED "/cache"
#define IMAGE_DIR	"/mnt/a"
#define CUT_TIMEOUT	120

enum { WRONG = 1, LOST = 2, OTHER = REPLAY_FAILED };

struct blob {
	char name[NAME_SIZE];
	bool in_use, sampled;
	__u32 object_id;
	int source, cached;
	unsigned long long present, fetched;
};

struct image {
	char options[NAME_SIZE];
	const char *reference;
};

/* From one mark, until the next one for the same blob. */
struct promise {
	char prefix[NAME_SIZE];
	unsigned long long committed;
};

static struct blob blobs[BLOBS_MAX];
static unsigned int nr_blobs;
static struct promise promises[BLOBS_MAX];
static unsigned int nr_promises;
static struct image images[IMAGES_MAX];
static unsigned int nr_images;
static const char *loop_device, *fs_type, *blob_dir;
static pthread_mutex_t blobs_lock = PTHREAD_MUTEX_INITIALIZER;
static int device, stop_pipe[2], status;
static size_t cut_now;
static unsigned int failures;

static void __attribute__((format(printf, 2, 3))) fault(int kind, const char *format, ...)
{
	va_list ap;

	status |= kind;
	if (failures++ >= 12)
		return;
	printf("cut at %zu: ", cut_now);
	va_start(ap, format);
	vprintf(format, ap);
	va_end(ap);
	putchar('\n');
	fflush(stdout);
}

static void on_alarm(int signal)
{
	static const char text[] = "timeout: something hangs\n";

	(void)signal;
	if (write(1, text, sizeof(text) - 1) < 0)
		_exit(OTHER);
	_exit(OTHER);
}

/* --- the daemon --- */

/* The first blob of that name in /proc. */
static bool read_present(const char *name, unsigned long long *present)
{
	FILE *f = fopen("/proc/fs/cachefiles_od/blobs", "re");
	char line[4096], blob[4096];
	bool found = false;

	if (!f)
		return false;
	while (!found && fgets(line, sizeof(line), f))
		found = sscanf(line, "%*s %4095s %*u %llu", blob, present) == 2 &&
			strcmp(blob, name) == 0;
	fclose(f);
	return found;
}

/* Samples the present bytes, before the first fetch. */
static void sample(struct blob *blob)
{
	if (blob->sampled)
		return;
	blob->sampled = read_present(blob->name, &blob->present);
}

static struct blob *blob_of_id(__u32 id)
{
	unsigned int i;

	for (i = 0; i < nr_blobs; i++)
		if (blobs[i].in_use && blobs[i].object_id == id)
			return &blobs[i];
	return NULL;
}

static struct blob *blob_of_name(const char *name)
{
	unsigned int i;

	for (i = 0; i < nr_blobs; i++)
		if (strcmp(blobs[i].name, name) == 0)
			return &blobs[i];
	if (nr_blobs == BLOBS_MAX)
		errx(OTHER, "too many blobs");
	strcpy(blobs[nr_blobs].name, name);
	return &blobs[nr_blobs++];
}

static void on_open(const struct message *msg)
{
	char name[NAME_SIZE], path[4096];
	struct blob *blob;
	struct stat st;
	int error;

	daemon_blob_name(msg, name, sizeof(name));
	snprintf(path, sizeof(path), "%s/%s", blob_dir, name);
	blob = blob_of_name(name);
	blob->source = open(path, O_RDONLY | O_CLOEXEC);
	if (blob->source < 0 || fstat(blob->source, &st))
		err(OTHER, "%s", path);
	blob->cached = msg->open.fd;
	blob->object_id = msg->head.object_id;
	blob->in_use = true;
	error = daemon_command(device, "copen %u,%lld", msg->head.msg_id, (long long)st.st_size);
	if (error)
		fault(OTHER, "copen of %s: %s", name, strerror(-error));
}

static void on_read(const struct message *msg)
{
	struct blob *blob = blob_of_id(msg->head.object_id);
	ssize_t n;

	if (!blob) {
		fault(OTHER, "a READ of an unknown object");
		return;
	}
	sample(blob);
	n = daemon_copy(blob->cached, blob->source, msg->range.off, msg->range.len);
	if (n <= 0)
		fault(OTHER, "%s: failed to fill %lld bytes at %llu: %s", blob->name,
		      (long long)msg->range.len, (unsigned long long)msg->range.off,
		      n ? strerror(-n) : "past the end of the source");
	else
		blob->fetched += n;
	daemon_complete(blob->cached, msg->head.msg_id);
}

static void on_close(const struct message *msg)
{
	struct blob *blob = blob_of_id(msg->head.object_id);

	if (!blob)
		return;
	close(blob->source);
	close(blob->cached);
	blob->in_use = false;
}

static void on_message(const struct message *msg)
{
	pthread_mutex_lock(&blobs_lock);
	if (msg->head.opcode == CACHEFILES_OD_OP_OPEN)
		on_open(msg);
	else if (msg->head.opcode == CACHEFILES_OD_OP_READ)
		on_read(msg);
	else if (msg->head.opcode == CACHEFILES_OD_OP_CLOSE)
		on_close(msg);
	pthread_mutex_unlock(&blobs_lock);
}

static void *serve(void *unused)
{
	struct pollfd fds[] = { { .fd = device, .events = POLLIN },
				{ .fd = stop_pipe[0], .events = POLLIN } };
	static struct message msg;

	while (poll(fds, 2, -1) > 0 && !fds[1].revents)
		while (read(device, &msg, sizeof(msg)) > 0)
			on_message(&msg);
	return unused;
}

static bool start_daemon(pthread_t *thread)
{
	int error;

	device = daemon_open(NULL, O_NONBLOCK);
	if (device < 0)
		errx(OTHER, CACHEFILES_OD_DEVICE ": %s", strerror(-device));
	error = daemon_bind(device, CACHE);
	if (error) {
		fault(OTHER, "bind: %s", strerror(-error));
		close(device);
		return false;
	}
	/* Fewer READs, if the cache supports it. */
	error = daemon_command(device, "wide");
	if (error && error != -EOPNOTSUPP)
		fault(OTHER, "wide: %s", strerror(-error));
	if (pipe2(stop_pipe, O_CLOEXEC) || pthread_create(thread, NULL, serve, NULL))
		err(OTHER, "daemon");
	return true;
}

static void stop_daemon(pthread_t thread)
{
	close(stop_pipe[1]);
	pthread_join(thread, NULL);
	close(stop_pipe[0]);
	close(device);
	for (; nr_blobs; nr_blobs--)
		if (blobs[nr_blobs - 1].in_use) {
			close(blobs[nr_blobs - 1].source);
			close(blobs[nr_blobs - 1].cached);
		}
	memset(blobs, 0, sizeof(blobs));
}

/* --- comparison --- */

static const char *read_file(const char *path, char **data, size_t *size)
{
	struct stat st;
	ssize_t n = 0;
	int fd = open(path, O_RDONLY | O_NOFOLLOW | O_CLOEXEC);
	const char *why = NULL;

	*data = NULL;
	if (fd < 0 || fstat(fd, &st))
		return strerror(errno);
	*data = malloc(st.st_size + 1);
	if (!*data)
		err(OTHER, "%s", path);
	for (*size = 0; *size < (size_t)st.st_size; *size += n) {
		n = pread(fd, *data + *size, st.st_size - *size, *size);
		if (n <= 0)
			break;
	}
	if (n < 0)
		why = strerror(errno);
	close(fd);
	return why;
}

static size_t first_difference(const char *a, const char *b, size_t size)
{
	size_t i = 0;

	while (i < size && a[i] == b[i])
		i++;
	return i;
}

static void compare_file(const char *right, const char *path)
{
	char *wanted, *got;
	size_t wanted_size, got_size;
	const char *why = read_file(right, &wanted, &wanted_size);

	if (why)
		errx(OTHER, "%s: %s", right, why);
	why = read_file(path, &got, &got_size);
	if (why)
		fault(WRONG, "%s: %s", path, why);
	else if (got_size != wanted_size)
		fault(WRONG, "%s: size %zu, expected %zu", path, got_size, wanted_size);
	else if (memcmp(wanted, got, got_size) != 0)
		fault(WRONG, "%s: wrong data at byte %zu", path,
		      first_difference(wanted, got, got_size));
	free(wanted);
	free(got);
}

static void for_each_file(const char *root, void (*call)(const char *path, const char *rel))
{
	char *roots[] = { (char *)root, NULL };
	FTS *fts = fts_open(roots, FTS_PHYSICAL | FTS_NOCHDIR, NULL);
	FTSENT *ent;

	while (fts && (ent = fts_read(fts)))
		if (ent->fts_info == FTS_F)
			call(ent->fts_path, ent->fts_path + strlen(root));
	fts_close(fts);
}

static void compare_one(const char *path, const char *rel)
{
	char mine[8192];

	snprintf(mine, sizeof(mine), "%s%s", IMAGE_DIR, rel);
	compare_file(path, mine);
}

/* Reads of the cache files fill the page cache, which must not make holes look like data. */
static void read_one(const char *path, const char *rel)
{
	char *data;
	size_t size;

	(void)rel;
	read_file(path, &data, &size);
	free(data);
}

/* --- committed bytes --- */

static void promise(char *token)
{
	char *value = strchr(token, '=');
	unsigned int i = 0;

	if (!value)
		errx(OTHER, "invalid mark '%s'", token);
	*value++ = '\0';
	while (i < nr_promises && strcmp(promises[i].prefix, token) != 0)
		i++;
	if (i == BLOBS_MAX)
		errx(OTHER, "too many blobs");
	if (i == nr_promises)
		strcpy(promises[nr_promises++].prefix, token);
	promises[i].committed = strtoull(value, NULL, 10);
}

static bool is_mark(const struct replay_entry *entry, const char *name)
{
	size_t len = strlen(name);

	return (entry->flags & REPLAY_MARK) && entry->len >= len &&
	       memcmp(entry->data, name, len) == 0;
}

static void read_promises(const struct replay_log *log, size_t cut)
{
	static size_t done;
	char text[512], *token, *rest;

	for (; done < cut; done++) {
		const struct replay_entry *entry = &log->entries[done];

		if (!is_mark(entry, "committed"))
			continue;
		snprintf(text, sizeof(text), "%.*s", (int)entry->len, entry->data);
		strtok_r(text, ":,", &rest);
		while ((token = strtok_r(NULL, ":,", &rest)))
			promise(token);
	}
}

static unsigned long long promised(const char *name)
{
	unsigned int i;

	for (i = 0; i < nr_promises; i++)
		if (strncmp(name, promises[i].prefix, strlen(promises[i].prefix)) == 0)
			return promises[i].committed;
	return 0;
}

/* --- a cut --- */

enum { REPLAY, MOUNT, FILES, BIND, IMAGE_READ, UNMOUNT, NR_STEPS };
static double took[NR_STEPS], last_time;

/* step - adds the time since the last call to the total of a step */
static void step(int nr)
{
	struct timespec now;
	double t;

	clock_gettime(CLOCK_MONOTONIC, &now);
	t = now.tv_sec + now.tv_nsec / 1e9;
	if (nr < NR_STEPS)
		took[nr] += t - last_time;
	last_time = t;
}

static unsigned long long kept, promised_bytes, fetched_bytes;

static void check_blobs(void)
{
	unsigned long long committed;
	struct blob *blob;

	for (blob = blobs; blob < blobs + nr_blobs; blob++) {
		if (!blob->in_use)
			continue;
		sample(blob);
		committed = promised(blob->name);
		promised_bytes += committed;
		kept += blob->present;
		fetched_bytes += blob->fetched;
		if (getenv("POWERCUT_VERBOSE"))
			printf("cut %zu: %s: committed %llu, present %llu, fetched %llu\n", cut_now,
			       blob->name, committed, blob->present, blob->fetched);
		if (!blob->sampled)
			fault(OTHER, "%s: not in /proc/fs/cachefiles_od/blobs", blob->name);
		else if (blob->present < committed)
			fault(LOST, "%s: %llu bytes were committed, %llu are present", blob->name,
			      committed, blob->present);
	}
}

static bool unmounted(const char *dir)
{
	struct timespec pause = { .tv_nsec = 5000000 };
	unsigned int tries;

	for (tries = 0; tries < 2000; tries++) {
		if (umount(dir) == 0)
			return true;
		if (errno != EBUSY)
			break;
		nanosleep(&pause, NULL);
	}
	fault(OTHER, "unmount of %s: %s", dir, strerror(errno));
	return false;
}

static void check_image(const struct image *image)
{
	if (mount("none", IMAGE_DIR, "erofs_od", MS_RDONLY, image->options)) {
		fault(WRONG, "mount of %s: %s", image->options, strerror(errno));
		return;
	}
	for_each_file(image->reference, compare_one);
	pthread_mutex_lock(&blobs_lock);
	check_blobs();
	pthread_mutex_unlock(&blobs_lock);
	if (!unmounted(IMAGE_DIR))
		exit(status);
}

static void check_cache(void)
{
	pthread_t thread;
	unsigned int i;

	mkdir(CACHE, 0700);
	for_each_file(CACHE, read_one);
	step(FILES);
	for (i = 0; i < nr_images; i++) {
		if (!start_daemon(&thread))
			return;
		step(BIND);
		check_image(&images[i]);
		step(IMAGE_READ);
		stop_daemon(thread);
		step(BIND);
	}
}

static void forget_pages(void)
{
	int fd = open(loop_device, O_RDONLY | O_CLOEXEC);

	if (fd < 0 || ioctl(fd, BLKFLSBUF, 0))
		err(OTHER, "%s", loop_device);
	close(fd);
}

static void check_cut(void)
{
	alarm(CUT_TIMEOUT);
	forget_pages();
	if (mount(loop_device, MOUNTED, fs_type, 0, "")) {
		fault(OTHER, "mount of %s: %s", fs_type, strerror(errno));
		return;
	}
	step(MOUNT);
	check_cache();
	if (!unmounted(MOUNTED))
		exit(status);
	step(UNMOUNT);
}

/* Sorted, so that the log is applied only forward. */
static void choose_cuts(size_t *cuts, unsigned int nr, const struct replay_log *log, uint64_t *seed)
{
	size_t first = 0, cut;
	unsigned int i, j;

	while (first < log->nr && !is_mark(&log->entries[first], "begin"))
		first++;
	if (first == log->nr)
		errx(OTHER, "the log has no mark \"begin\"");
	for (i = 0; i < nr; i++) {
		cut = first + 1 + replay_random(seed, log->nr - first);
		for (j = i; j && cuts[j - 1] > cut; j--)
			cuts[j] = cuts[j - 1];
		cuts[j] = cut;
	}
}

static void parse_images(char **argv, int nr)
{
	char *reference;

	for (; nr_images < (unsigned int)nr; nr_images++) {
		reference = strrchr(argv[nr_images], '=');
		if (nr_images == IMAGES_MAX || !reference)
			errx(OTHER, "%s: not IMAGE=REFERENCE", argv[nr_images]);
		*reference = '\0';
		strcpy(images[nr_images].options, argv[nr_images]);
		images[nr_images].reference = reference + 1;
	}
}

int main(int argc, char **argv)
{
	unsigned int nr, i, dropped = 0, torn = 0;
	struct replay_stats stats;
	struct replay_disk disk;
	struct replay_log log = { };
	uint64_t seed;
	size_t *cuts, lie;

	if (argc < 11)
		errx(OTHER, "usage: powercut LOG BASE DISK LOOP FSTYPE CUTS SEED LIE BLOBS IMAGE=REFERENCE...");
	replay_read_log(&log, argv[1]);
	replay_open_disk(&disk, argv[2], argv[3]);
	loop_device = argv[4];
	fs_type = argv[5];
	nr = strtoul(argv[6], NULL, 10);
	seed = strtoull(argv[7], NULL, 10);
	lie = strtoul(argv[8], NULL, 10);
	blob_dir = argv[9];
	parse_images(argv + 10, argc - 10);
	mkdir(MOUNTED, 0700);
	signal(SIGALRM, on_alarm);
	cuts = calloc(nr, sizeof(*cuts));
	choose_cuts(cuts, nr, &log, &seed);
	step(NR_STEPS);
	for (i = 0; i < nr; i++) {
		cut_now = cuts[i];
		replay_cut(&disk, &log, cut_now, &seed, lie, &stats);
		step(REPLAY);
		dropped += stats.dropped != 0;
		torn += stats.torn != 0;
		read_promises(&log, cut_now);
		check_cut();
	}
	printf("seconds: replay %.1f, mount %.1f, cache files %.1f, bind %.1f, images %.1f, unmount %.1f\n",
	       took[REPLAY], took[MOUNT], took[FILES], took[BIND], took[IMAGE_READ],
	       took[UNMOUNT]);
	printf("%u cuts of %zu entries, %u with dropped writes, %u with torn ones; "
	       "%llu bytes were committed, %llu present, %llu fetched; %u failures\n",
	       nr, log.nr, dropped, torn, promised_bytes, kept, fetched_bytes, failures);
	return status;
}
