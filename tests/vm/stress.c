// SPDX-License-Identifier: GPL-2.0-only
/*
 * stress: many readers of many mounts while everything around them fails.
 *
 *	stress SEED SECONDS CACHE MOUNTS TREE FSID DAEMON...
 *
 * Images FSID0 to FSID7 are mounted on MOUNTS/0 to MOUNTS/7, two in each of four
 * domains, and 64 processes compare what they read there with TREE. DAEMON is
 * the command of the daemon, which is killed and restarted. Images are unmounted,
 * together with the cache files of their domain, and mounted again; memory runs
 * low; the file system of CACHE runs full.
 *
 * An error is allowed if a read or mount overlaps a time without a daemon or without free
 * space. At any other time, a calm one, a retry must succeed; wrong data is never allowed. At
 * the end every file of every mount is compared.
 */
#include "guest.h"

#include <err.h>
#include <errno.h>
#include <fcntl.h>
#include <ftw.h>
#include <signal.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <sys/statvfs.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#define MOUNTS		8
#define DOMAINS		4
#define READERS		64
#define OTHERS		3
#define FILES_MAX	1000
#define PIECE		65536
/* Anything that takes longer hangs, even on slow hosts. */
#define TIMEOUT		120
#define TRIES		5
/* Time limit for events that have not happened often enough. */
#define SLOWEST		600
/* Not allocated, in KiB: otherwise the OOM killer runs. */
#define SPARE		(256UL << 10)

#define COUNTS(X)	X(reads) X(bytes) X(allowed) X(retried) X(wrong) X(failed) X(lives) \
	X(mounts) X(mount_errors) X(calm_errors) X(dropped) X(squeezes) X(full)

enum count {
#define NAME(name)	NR_##name,
	COUNTS(NAME)
#undef NAME
	NR_COUNTS
};

/*
 * struct shared - memory shared by all processes
 * @stop: processes exit
 * @troubles: number of current troubles: no daemon, no free space
 * @changes: number of changes of @troubles
 * @mounted_in: the last calm time in which a mount began and ended
 * @usable: by mount: readers may use it
 * @changed: by mount: number of mounts and unmounts
 */
static struct shared {
	bool stop;
	unsigned int troubles, changes, mounted_in;
	bool usable[MOUNTS];
	unsigned int changed[MOUNTS];
	unsigned long count[NR_COUNTS];
} *shared;

static const char *cache, *mounts, *tree, *fsid;
static char **daemon_command;
static char *files[FILES_MAX];
static unsigned int nr_files;

static void count_by(enum count what, unsigned long by)
{
	__atomic_add_fetch(&shared->count[what], by, __ATOMIC_RELAXED);
}

static void count(enum count what)
{
	count_by(what, 1);
}

__attribute__((format(printf, 1, 2)))
static void say(const char *format, ...)
{
	char line[1024];
	va_list ap;
	int len;

	va_start(ap, format);
	len = vsnprintf(line, sizeof(line) - 1, format, ap);
	va_end(ap);
	if (len > (int)sizeof(line) - 2)
		len = sizeof(line) - 2;
	line[len] = '\n';
	if (write(STDOUT_FILENO, line, len + 1) < 0)
		_exit(1);
}

static double now(void)
{
	struct timespec ts;

	clock_gettime(CLOCK_MONOTONIC, &ts);
	return ts.tv_sec + ts.tv_nsec / 1e9;
}

static unsigned int any(unsigned int below)
{
	return (unsigned int)random() % below;
}

/* --- troubles: times in which errors are allowed --- */

static void trouble(int by)
{
	__atomic_add_fetch(&shared->troubles, by, __ATOMIC_SEQ_CST);
	__atomic_add_fetch(&shared->changes, 1, __ATOMIC_SEQ_CST);
}

/* A time is calm if this returns the same even number at its begin and its end. */
static unsigned int calm(void)
{
	unsigned int changes = __atomic_load_n(&shared->changes, __ATOMIC_SEQ_CST);

	return __atomic_load_n(&shared->troubles, __ATOMIC_SEQ_CST) ? 1 : changes << 1;
}

static bool was_calm(unsigned int before)
{
	return before != 1 && calm() == before;
}

static bool stopping(void)
{
	return __atomic_load_n(&shared->stop, __ATOMIC_SEQ_CST);
}

/*
 * Called before each trouble: waits until a mount has begun and ended in a calm time.
 * Otherwise a slow kernel might never complete a mount between two troubles.
 */
static void wait_for_calm(void)
{
	double until = now() + SLOWEST;

	while (!stopping() && calm() != __atomic_load_n(&shared->mounted_in, __ATOMIC_SEQ_CST)) {
		if (now() > until) {
			count(NR_failed);
			say("failed: no mount began and ended in a calm time, for %d s", SLOWEST);
			return;
		}
		usleep(5000);
	}
}

/* --- readers --- */

static void mount_path(char path[256], unsigned int n)
{
	snprintf(path, 256, "%s/%u", mounts, n);
}

static int open_in(const char *dir, const char *file, int flags)
{
	char path[4096];

	snprintf(path, sizeof(path), "%s/%s", dir, file);
	return open(path, O_RDONLY | O_CLOEXEC | flags);
}

static unsigned int changes_of(unsigned int n)
{
	return __atomic_load_n(&shared->changed[n], __ATOMIC_SEQ_CST);
}

/* The mount that this reader uses, and its changes_of() at the start. */
static unsigned int read_from = MOUNTS, read_changes;

/* It is being unmounted: readers of long files stop, as they would delay it. */
static bool is_leaving(void)
{
	return read_from < MOUNTS && changes_of(read_from) != read_changes;
}

/* Return: 0, an errno, or -1 for wrong data. */
static int compare(int fd, int truth, const char *dir, const char *file, off_t at, size_t len)
{
	static char got[PIECE] __attribute__((aligned(4096))), wanted[PIECE];
	ssize_t n = pread(fd, got, len, at), m;

	if (n < 0)
		return errno;
	m = pread(truth, wanted, len, at);
	count(NR_reads);
	count_by(NR_bytes, n);
	/* A short read may be due to an error after it; 0 means the end of the file. */
	if (n <= m && (n || !m) && !memcmp(got, wanted, n))
		return 0;
	count(NR_wrong);
	say("wrong: %s/%s: %zd bytes at %lld, expected %zd", dir, file, n, (long long)at, m);
	return -1;
}

static int compare_file(int fd, int truth, const char *dir, const char *file)
{
	struct stat st, wanted;
	off_t at;
	int ret;

	if (fstat(fd, &st) || fstat(truth, &wanted))
		return errno;
	if (st.st_size != wanted.st_size) {
		count(NR_wrong);
		say("wrong: %s/%s: size %lld", dir, file, (long long)st.st_size);
		return -1;
	}
	/* In small pieces: a short read hides an error until the piece is read again. */
	for (at = 0; at < st.st_size && !is_leaving(); at += 4096 * 4) {
		ret = compare(fd, truth, dir, file, at, 4096 * 4);
		if (ret)
			return ret;
	}
	return 0;
}

static int read_some(const char *dir, const char *file)
{
	bool direct = !any(4);
	int truth = open_in(tree, file, 0), fd = open_in(dir, file, direct ? O_DIRECT : 0), ret;
	struct stat st;
	off_t at;

	if (fd < 0 || fstat(truth, &st)) {
		ret = errno;
	} else if (!any(3)) {
		ret = compare_file(fd, truth, dir, file);
	} else {
		at = any(st.st_size + 1) & (direct ? ~4095 : ~0);
		ret = compare(fd, truth, dir, file, at, direct ? PIECE : 1 + any(PIECE));
	}
	if (fd >= 0)
		close(fd);
	close(truth);
	return ret;
}

/* Reads a file, and retries until it succeeds or the error is allowed. */
static void read_until_judged(unsigned int n, unsigned int changes, const char *file)
{
	unsigned int tries, before;
	char dir[256];
	int ret;

	mount_path(dir, n);
	read_from = n;
	read_changes = changes;
	for (tries = 0; tries < TRIES; tries++) {
		before = calm();
		ret = read_some(dir, file);
		/* If the number has changed, it is another mount, or none. */
		if (ret <= 0 || changes != changes_of(n))
			return;
		if (!was_calm(before)) {
			count(NR_allowed);
			return;
		}
		count(NR_retried);
		usleep(200000);
	}
	count(NR_failed);
	say("failed: %s/%s: %s, in calm times", dir, file, strerror(ret));
}

static void reader(void)
{
	/* The other processes matter most: the readers must not slow them down. */
	nice(15);
	while (!stopping()) {
		unsigned int n = any(MOUNTS), changes = changes_of(n);

		if (__atomic_load_n(&shared->usable[n], __ATOMIC_SEQ_CST))
			read_until_judged(n, changes, files[any(nr_files)]);
		usleep(any(20000));
	}
}

/* --- mounts and unmounts --- */

static int remove_one(const char *path, const struct stat *st, int type, struct FTW *ftw)
{
	(void)st;
	(void)type;
	(void)ftw;
	remove(path);
	return 0;
}

/* Removes the cache files of an unused domain, so that they are fetched again. */
static void drop_domain(unsigned int domain)
{
	char path[512];

	snprintf(path, sizeof(path), "%s/cache/Ierofs,stress%u", cache, domain);
	if (nftw(path, remove_one, 16, FTW_PHYS | FTW_DEPTH) == 0)
		count(NR_dropped);
}

static void set_usable(unsigned int n, bool usable)
{
	__atomic_add_fetch(&shared->changed[n], 1, __ATOMIC_SEQ_CST);
	__atomic_store_n(&shared->usable[n], usable, __ATOMIC_SEQ_CST);
}

/* After an error in a calm time, a retry must succeed. */
static void do_mount(unsigned int n)
{
	unsigned int tries = 0, before;
	char path[256], text[256];
	double until = now() + TIMEOUT;
	int error;

	mount_path(path, n);
	snprintf(text, sizeof(text), "domain_id=stress%u,fsid=%s%u", n % DOMAINS, fsid, n);
	for (;;) {
		before = calm();
		if (mount("none", path, "erofs_od", MS_RDONLY, text) == 0) {
			if (was_calm(before))
				__atomic_store_n(&shared->mounted_in, before, __ATOMIC_SEQ_CST);
			break;
		}
		error = errno;
		count(NR_mount_errors);
		if (was_calm(before)) {
			count(NR_calm_errors);
			say("mount of %s in a calm time: %s", text, strerror(error));
			tries++;
		}
		if (tries >= TRIES || now() > until) {
			count(NR_failed);
			say("failed: mount of %s: %s, after %u errors in calm times and %.0f s",
			    text, strerror(error), tries, now() - until + TIMEOUT);
			return;
		}
		usleep(100000);
	}
	count(NR_mounts);
	set_usable(n, true);
}

static void do_umount(unsigned int n)
{
	double until = now() + TIMEOUT;
	char path[256];

	mount_path(path, n);
	set_usable(n, false);
	while (umount(path)) {
		if (errno == EINVAL)
			return;
		if (errno != EBUSY || now() > until) {
			count(NR_failed);
			say("failed: unmount of %s: %s", path, strerror(errno));
			return;
		}
		usleep(2000);
	}
}

/* One mount, or all of a domain. */
static void churner(void)
{
	while (!stopping()) {
		unsigned int n = any(MOUNTS), other = (n + DOMAINS) % MOUNTS;

		do_umount(n);
		if (any(4)) {
			do_umount(other);
			drop_domain(n % DOMAINS);
			do_mount(other);
		}
		do_mount(n);
		usleep(any(50000));
	}
}

/* --- shortage of memory and disk space --- */

static unsigned long available_kib(void)
{
	FILE *f = fopen("/proc/meminfo", "r");
	char line[128];
	unsigned long kib = 0;

	while (f && fgets(line, sizeof(line), f))
		if (sscanf(line, "MemAvailable: %lu", &kib) == 1)
			break;
	if (f)
		fclose(f);
	return kib;
}

static void drop_caches(void)
{
	int fd = open("/proc/sys/vm/drop_caches", O_WRONLY | O_CLOEXEC);

	if (fd < 0 || write(fd, "3", 1) != 1)
		err(1, "drop_caches");
	close(fd);
}

/* Touches nearly all memory, in parts, and frees it. */
static void squeeze(void)
{
	size_t part = 8 << 20, got = 0, at;
	size_t size = available_kib() << 10;
	char *map = mmap(NULL, size, PROT_READ | PROT_WRITE,
			 MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);

	if (map == MAP_FAILED)
		return;
	while (!stopping() && got + part <= size && available_kib() > SPARE) {
		for (at = 0; at < part; at += 4096)
			map[got + at] = 1;
		got += part;
	}
	count(NR_squeezes);
	usleep(200000);
	munmap(map, size);
}

static void squeezer(void)
{
	unsigned int turn;

	for (turn = 1; !stopping(); turn++) {
		usleep(any(1500000));
		if (turn % 3)
			drop_caches();
		else
			squeeze();
	}
}

/* Allocates all free space, in ever smaller parts; returns the size of the file. */
static off_t fill_disk(int fd, off_t have)
{
	off_t part;

	for (part = 256 << 20; part >= 4096;) {
		if (posix_fallocate(fd, have, part) == 0)
			have += part;
		else
			part /= 2;
	}
	return have;
}

static void disk_filler(void)
{
	char path[512];
	int fd;

	snprintf(path, sizeof(path), "%s/../filler", cache);
	fd = open(path, O_RDWR | O_CREAT | O_CLOEXEC, 0600);
	if (fd < 0 || unlink(path))
		err(1, "%s", path);
	while (!stopping()) {
		off_t have = 0;
		double until;

		usleep(2000000 + any(2000000));
		wait_for_calm();
		trouble(1);
		/* Also takes space that others free meanwhile. */
		for (until = now() + 1.5; !stopping() && now() < until;) {
			have = fill_disk(fd, have);
			usleep(10000);
		}
		count(NR_full);
		if (ftruncate(fd, 0))
			err(1, "%s", path);
		fsync(fd);
		trouble(-1);
	}
}

/* --- the daemon --- */

static bool is_bound(void)
{
	FILE *f = fopen("/proc/fs/cachefiles_od/cache", "r");
	char line[256];
	bool bound = false;

	while (f && fgets(line, sizeof(line), f))
		bound |= !strcmp(line, "daemon\tbound\n");
	if (f)
		fclose(f);
	return bound;
}

static bool wait_bound(bool wanted)
{
	double until = now() + TIMEOUT;

	while (is_bound() != wanted) {
		if (now() > until) {
			count(NR_failed);
			say("failed: the daemon is %sbound", wanted ? "not " : "still ");
			return false;
		}
		usleep(5000);
	}
	return true;
}

static pid_t start_daemon(void)
{
	pid_t pid = fork();

	if (!pid) {
		execvp(daemon_command[0], daemon_command);
		err(1, "%s", daemon_command[0]);
	}
	count(NR_lives);
	wait_bound(true);
	return pid;
}

static pid_t restart_daemon(pid_t pid)
{
	trouble(1);
	kill(pid, SIGKILL);
	waitpid(pid, NULL, 0);
	wait_bound(false);
	usleep(any(300000));
	pid = start_daemon();
	trouble(-1);
	return pid;
}

/* --- run --- */

static pid_t start(void (*run)(void), unsigned int seed)
{
	pid_t pid = fork();

	if (pid)
		return pid;
	srandom(seed);
	run();
	_exit(0);
}

/* Return: false if the process does not exit before @until. */
static bool exits(pid_t pid, int *status, double until)
{
	while (waitpid(pid, status, WNOHANG) != pid) {
		if (now() > until)
			return false;
		usleep(2000);
	}
	return true;
}

/* Processes that do not exit in time fail. */
static void wait_for(const pid_t *pids, unsigned int nr)
{
	double until = now() + TIMEOUT;
	unsigned int i;
	int status = 0;

	for (i = 0; i < nr; i++) {
		if (!exits(pids[i], &status, until)) {
			count(NR_failed);
			say("failed: process %d, number %u, does not exit", pids[i], i);
			kill(pids[i], SIGKILL);
		} else if (status) {
			count(NR_failed);
			say("failed: process %d, number %u, status %x", pids[i], i, status);
		}
	}
}

/* Compares all files of a mount, in a child. */
static void compare_mount(unsigned int n)
{
	char path[256];
	unsigned int i;
	int fd, truth, ret;

	mount_path(path, n);
	for (i = 0; i < nr_files; i++) {
		truth = open_in(tree, files[i], 0);
		fd = open_in(path, files[i], 0);
		ret = fd < 0 ? errno : compare_file(fd, truth, path, files[i]);
		if (ret) {
			count(NR_failed);
			say("failed: %s/%s at the end: %s", path, files[i],
			    ret > 0 ? strerror(ret) : "wrong data");
		}
		close(fd);
		close(truth);
	}
}

static void compare_all(void)
{
	unsigned int n;
	pid_t pids[MOUNTS];

	for (n = 0; n < MOUNTS; n++) {
		if (!shared->usable[n])
			do_mount(n);
		pids[n] = fork();
		if (!pids[n]) {
			compare_mount(n);
			_exit(0);
		}
	}
	wait_for(pids, MOUNTS);
	for (n = 0; n < MOUNTS; n++)
		do_umount(n);
}

static const char * const names[] = {
#define NAME(name)	#name,
	COUNTS(NAME)
#undef NAME
};

/* Return: an event that has not happened often enough, or NR_COUNTS. */
static enum count too_few(void)
{
	static const struct {
		enum count what;
		unsigned long wanted;
	} all[] = {
		{ NR_reads, 1000 }, { NR_bytes, 1 << 20 }, { NR_allowed, 1 }, { NR_lives, 3 },
		{ NR_mounts, MOUNTS + 4 }, { NR_dropped, 2 }, { NR_squeezes, 1 }, { NR_full, 2 },
	};
	unsigned int i;

	for (i = 0; i < sizeof(all) / sizeof(all[0]); i++)
		if (shared->count[all[i].what] < all[i].wanted)
			return all[i].what;
	return NR_COUNTS;
}

static bool judge(void)
{
	enum count missing = too_few();
	char line[900];

	format_counts(line, sizeof(line), names, shared->count, NR_COUNTS);
	say("%s", line);
	if (missing != NR_COUNTS)
		say("too few: %s", names[missing]);
	return missing == NR_COUNTS && !shared->count[NR_wrong] && !shared->count[NR_failed];
}

static void run(unsigned int seed, double seconds)
{
	static void (* const others[OTHERS])(void) = { churner, squeezer, disk_filler };
	pid_t pids[READERS + OTHERS], pid = start_daemon();
	double until = now() + seconds;
	char path[256];
	unsigned int n;

	for (n = 0; n < MOUNTS; n++) {
		mount_path(path, n);
		mkdir(path, 0755);
		do_mount(n);
	}
	for (n = 0; n < READERS + OTHERS; n++)
		pids[n] = start(n < OTHERS ? others[n] : reader, seed + n);
	srandom(seed + n);
	/* A slow kernel takes longer until all events have happened often enough. */
	while (now() < until || (too_few() != NR_COUNTS && now() < until + SLOWEST)) {
		usleep(2000000 + any(2000000));
		wait_for_calm();
		pid = restart_daemon(pid);
	}
	__atomic_store_n(&shared->stop, true, __ATOMIC_SEQ_CST);
	wait_for(pids, n);
	compare_all();
	kill(pid, SIGKILL);
	waitpid(pid, NULL, 0);
}

int main(int argc, char **argv)
{
	if (argc < 8) {
		fprintf(stderr, "usage: see the head of stress.c\n");
		return 2;
	}
	shared = mmap(NULL, sizeof(*shared), PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS,
		      -1, 0);
	if (shared == MAP_FAILED)
		err(1, NULL);
	cache = argv[3];
	mounts = argv[4];
	tree = argv[5];
	fsid = argv[6];
	daemon_command = argv + 7;
	nr_files = list_names(tree, files, FILES_MAX);
	run(strtoul(argv[1], NULL, 0), strtod(argv[2], NULL));
	return !judge();
}
