// SPDX-License-Identifier: GPL-2.0-only
/*
 * stress: many readers of many mounts while everything around them fails.
 *
 *	stress SEED SECONDS CACHE MOUNTS TREE FSID DAEMON...
 *
 * Images FSID0 to FSID7 are mounted on MOUNTS/0 to MOUNTS/7, two in each of four
 * domains, and 64 processes compare what they read there with TREE. DAEMON is
 * the command that serves; it is killed and started again. Mounts go away
 * together with what the cache has of their domain, and come back; memory gets
 * short; the file system that has CACHE gets full.
 *
 * An error is allowed where a reader or mount began or ended while there was no
 * daemon or no room. At any other time it must go away when tried again; wrong
 * bytes are never allowed. At the end every file of every mount is compared.
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
/* What ends at all has ended by then, on slow machines too. */
#define PATIENCE	120
#define TRIES		5
/* Whatever has not happened often enough by then will not. */
#define SLOWEST		600
/* Left alone, in KiB: who allocates it all has the kernel kill somebody, and complain. */
#define SPARE		(256UL << 10)

#define COUNTS(X)	X(reads) X(bytes) X(allowed) X(retried) X(wrong) X(failed) X(lives) \
	X(mounts) X(mount_errors) X(calm_errors) X(forgotten) X(squeezes) X(full)

enum count {
#define NAME(name)	NR_##name,
	COUNTS(NAME)
#undef NAME
	NR_COUNTS
};

/*
 * struct shared - what all processes see
 * @stop: end
 * @troubles: of daemon and room, that there are just now
 * @changes: of @troubles
 * @mounted_in: the last calm time in which a mount began and ended
 * @there: by mount; 1: readers may use it
 * @comings: by mount, how often it came or went
 */
static struct shared {
	bool stop;
	unsigned int troubles, changes, mounted_in;
	bool there[MOUNTS];
	unsigned int comings[MOUNTS];
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

/* A time without troubles has the same number at both ends, and it is not odd. */
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
 * Whoever makes trouble waits until a mount has begun and ended in calm: a kernel that
 * takes longer for one than troubles are apart would never have any.
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

static unsigned int comings_of(unsigned int n)
{
	return __atomic_load_n(&shared->comings[n], __ATOMIC_SEQ_CST);
}

/* Of a reader: the mount that it reads from, and which coming of it. */
static unsigned int read_from = MOUNTS, read_coming;

/* Somebody wants to unmount it: many readers of long files would hold that up for long. */
static bool is_leaving(void)
{
	return read_from < MOUNTS && comings_of(read_from) != read_coming;
}

/* Return: 0, an errno, or -1 for wrong bytes. */
static int compare(int fd, int truth, const char *dir, const char *file, off_t at, size_t len)
{
	static char got[PIECE] __attribute__((aligned(4096))), wanted[PIECE];
	ssize_t n = pread(fd, got, len, at), m;

	if (n < 0)
		return errno;
	m = pread(truth, wanted, len, at);
	count(NR_reads);
	count_by(NR_bytes, n);
	/* Fewer bytes are for an error behind them, but none are the end of the file. */
	if (n <= m && (n || !m) && !memcmp(got, wanted, n))
		return 0;
	count(NR_wrong);
	say("wrong: %s/%s: %zd bytes at %lld, for %zd", dir, file, n, (long long)at, m);
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
		say("wrong: %s/%s: %lld bytes", dir, file, (long long)st.st_size);
		return -1;
	}
	/* Errors inside a piece show up when it is read again. */
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

/* Reads a file until it can be read, or the reason why not is known. */
static void read_until_judged(unsigned int n, unsigned int comings, const char *file)
{
	unsigned int tries, before;
	char dir[256];
	int ret;

	mount_path(dir, n);
	read_from = n;
	read_coming = comings;
	for (tries = 0; tries < TRIES; tries++) {
		before = calm();
		ret = read_some(dir, file);
		/* With another number it is another mount, or none. */
		if (ret <= 0 || comings != comings_of(n))
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
	/* What fails, comes and goes is what this is about: the readers give way to it. */
	nice(15);
	while (!stopping()) {
		unsigned int n = any(MOUNTS), comings = comings_of(n);

		if (__atomic_load_n(&shared->there[n], __ATOMIC_SEQ_CST))
			read_until_judged(n, comings, files[any(nr_files)]);
		usleep(any(20000));
	}
}

/* --- mounts that come and go --- */

static int remove_one(const char *path, const struct stat *st, int type, struct FTW *ftw)
{
	(void)st;
	(void)type;
	(void)ftw;
	remove(path);
	return 0;
}

/* Nothing uses what the cache has of a domain: it is to be fetched again. */
static void forget(unsigned int domain)
{
	char path[512];

	snprintf(path, sizeof(path), "%s/cache/Ierofs,stress%u", cache, domain);
	if (nftw(path, remove_one, 16, FTW_PHYS | FTW_DEPTH) == 0)
		count(NR_forgotten);
}

static void set_there(unsigned int n, bool there)
{
	__atomic_add_fetch(&shared->comings[n], 1, __ATOMIC_SEQ_CST);
	__atomic_store_n(&shared->there[n], there, __ATOMIC_SEQ_CST);
}

/* An error in calm times must go away. */
static void do_mount(unsigned int n)
{
	unsigned int tries = 0, before;
	char path[256], text[256];
	double until = now() + PATIENCE;
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
			    text, strerror(error), tries, now() - until + PATIENCE);
			return;
		}
		usleep(100000);
	}
	count(NR_mounts);
	set_there(n, true);
}

static void do_umount(unsigned int n)
{
	double until = now() + PATIENCE;
	char path[256];

	mount_path(path, n);
	set_there(n, false);
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

/* One mount alone, or all of a domain. */
static void churner(void)
{
	while (!stopping()) {
		unsigned int n = any(MOUNTS), other = (n + DOMAINS) % MOUNTS;

		do_umount(n);
		if (any(4)) {
			do_umount(other);
			forget(n % DOMAINS);
			do_mount(other);
		}
		do_mount(n);
		usleep(any(50000));
	}
}

/* --- what gets short --- */

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

/* Touches nearly all memory, a part at a time, and lets it go. */
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

/* Return: bytes taken; in smaller and smaller parts, down to the last block. */
static off_t eat(int fd, off_t have)
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

static void eater(void)
{
	char path[512];
	int fd;

	snprintf(path, sizeof(path), "%s/../eaten", cache);
	fd = open(path, O_RDWR | O_CREAT | O_CLOEXEC, 0600);
	if (fd < 0 || unlink(path))
		err(1, "%s", path);
	while (!stopping()) {
		off_t have = 0;
		double until;

		usleep(2000000 + any(2000000));
		wait_for_calm();
		trouble(1);
		/* What others let go meanwhile is taken, too. */
		for (until = now() + 1.5; !stopping() && now() < until;) {
			have = eat(fd, have);
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
	double until = now() + PATIENCE;

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

/* --- all of it --- */

static pid_t start(void (*run)(void), unsigned int seed)
{
	pid_t pid = fork();

	if (pid)
		return pid;
	srandom(seed);
	run();
	_exit(0);
}

/* Return: false when it does not end before @until. */
static bool ends(pid_t pid, int *status, double until)
{
	while (waitpid(pid, status, WNOHANG) != pid) {
		if (now() > until)
			return false;
		usleep(2000);
	}
	return true;
}

/* Whoever does not end is stuck. */
static void wait_for(const pid_t *pids, unsigned int nr)
{
	double until = now() + PATIENCE;
	unsigned int i;
	int status = 0;

	for (i = 0; i < nr; i++) {
		if (!ends(pids[i], &status, until)) {
			count(NR_failed);
			say("failed: process %d, number %u, does not end", pids[i], i);
			kill(pids[i], SIGKILL);
		} else if (status) {
			count(NR_failed);
			say("failed: process %d, number %u, status %x", pids[i], i, status);
		}
	}
}

/* A child for each mount compares all. */
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
			say("failed: %s/%s in the end: %s", path, files[i],
			    ret > 0 ? strerror(ret) : "wrong bytes");
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
		if (!shared->there[n])
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

/* Return: something of which a run has to see more, or NR_COUNTS. */
static enum count too_few(void)
{
	static const struct {
		enum count what;
		unsigned long wanted;
	} all[] = {
		{ NR_reads, 1000 }, { NR_bytes, 1 << 20 }, { NR_allowed, 1 }, { NR_lives, 3 },
		{ NR_mounts, MOUNTS + 4 }, { NR_forgotten, 2 }, { NR_squeezes, 1 }, { NR_full, 2 },
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
	static void (* const others[OTHERS])(void) = { churner, squeezer, eater };
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
	/* A slow kernel takes longer until enough of everything has happened. */
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
