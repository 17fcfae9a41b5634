// SPDX-License-Identifier: GPL-2.0-only
/*
 * hostile: a daemon that violates the protocol at random, and random readers.
 *
 *	hostile right|any SEED STEPS SECONDS CACHE MOUNTS BLOBS[:BLOBS...] FSID=TREE...
 *		runs STEPS of the daemon, or for SECONDS, and longer if some event has not
 *		happened yet. The daemon is killed and restarted all the time, and so are
 *		the readers, which mount the images FSID on MOUNTS/0, MOUNTS/1, ... and
 *		read. BLOBS are directories of blobs, TREE the contents of an image. With
 *		"right" the daemon writes only right data to valid ranges, and data read
 *		without an error must be right. With "any" it writes any data, and
 *		modifies the cache directory.
 *	hostile check DIR TREE
 *		DIR has no wrong data; exit status 2: no wrong data, but errors
 *
 * Each thread and process has its own generator, seeded from the seed, its number,
 * and the number of its predecessors.
 */
#include "guest.h"
#include "hostile.h"

#include <dirent.h>
#include <err.h>
#include <errno.h>
#include <fcntl.h>
#include <ftw.h>
#include <signal.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/mount.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#define NAMES_MAX	1000
/* A killed process, or one that waits for nothing, exits in that time even on slow hosts. */
#define TIMEOUT		60
#define PROC		"/proc/fs/cachefiles_od/"

struct shared *shared;
struct blob *blobs;
unsigned int nr_blobs;
struct tree *trees;
unsigned int nr_trees;
struct options options;

static struct supervisor {
	struct dice dice;
	int device;
	int sock[2];
	pid_t daemon, keeper, dropper, reader[SLOTS];
	unsigned int daemons, keepers, readers;
} sv = { .device = -1 };

double now(void)
{
	struct timespec ts;

	clock_gettime(CLOCK_MONOTONIC, &ts);
	return ts.tv_sec + ts.tv_nsec / 1e9;
}

void say(const char *format, ...)
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
	/* One write(2), so that lines of several processes do not mix. */
	if (write(STDOUT_FILENO, line, len + 1) < 0)
		_exit(1);
}

uint64_t any64(struct dice *dice)
{
	uint64_t x = dice->state += 0x9e3779b97f4a7c15ULL;

	x = (x ^ x >> 30) * 0xbf58476d1ce4e5b9ULL;
	x = (x ^ x >> 27) * 0x94d049bb133111ebULL;
	return x ^ x >> 31;
}

struct dice new_dice(unsigned int life, unsigned int who)
{
	struct dice dice = { .state = options.seed };

	dice.state = any64(&dice) + life;
	dice.state = any64(&dice) + who;
	return dice;
}

void slot_path(char path[256], unsigned int slot)
{
	snprintf(path, 256, "%s/%u", options.mounts, slot);
}

/* --- blobs and trees --- */

static void load_blob(const char *dir, const char *name)
{
	char path[4096];
	struct stat st;
	struct blob *blob;
	int fd;

	snprintf(path, sizeof(path), "%s/%s", dir, name);
	fd = open(path, O_RDONLY | O_CLOEXEC);
	if (fd < 0 || fstat(fd, &st))
		err(1, "%s", path);
	if (S_ISREG(st.st_mode) && st.st_size) {
		blob = &blobs[nr_blobs++];
		blob->name = strdup(name);
		blob->size = st.st_size;
		blob->data = mmap(NULL, st.st_size, PROT_READ, MAP_SHARED, fd, 0);
		if (blob->data == MAP_FAILED)
			err(1, "%s", path);
	}
	close(fd);
}

static void load_blobs(char *dirs)
{
	struct dirent *ent;
	char *dir;
	DIR *d;

	blobs = calloc(NAMES_MAX, sizeof(*blobs));
	for (dir = strtok(dirs, ":"); dir; dir = strtok(NULL, ":")) {
		d = opendir(dir);
		if (!d)
			err(1, "%s", dir);
		while ((ent = readdir(d)) && nr_blobs < NAMES_MAX)
			if (ent->d_name[0] != '.')
				load_blob(dir, ent->d_name);
		closedir(d);
	}
}

static int add_name(const char *path, const struct stat *st, int type, struct FTW *ftw)
{
	struct tree *tree = &trees[nr_trees];
	const char *name = path + strlen(tree->path);

	(void)st;
	(void)ftw;
	while (*name == '/')
		name++;
	if (type == FTW_D && tree->nr_dirs < NAMES_MAX)
		tree->dirs[tree->nr_dirs++] = strdup(*name ? name : ".");
	else if (type == FTW_F && S_ISREG(st->st_mode) && tree->nr_files < NAMES_MAX)
		tree->files[tree->nr_files++] = strdup(name);
	return 0;
}

static void load_tree(const char *fsid, const char *path)
{
	struct tree *tree;

	trees = realloc(trees, (nr_trees + 1) * sizeof(*trees));
	tree = &trees[nr_trees];
	*tree = (struct tree){
		.fsid = fsid, .path = path,
		.files = calloc(NAMES_MAX, sizeof(char *)),
		.dirs = calloc(NAMES_MAX, sizeof(char *)),
	};
	if (nftw(path, add_name, 16, FTW_PHYS) || !tree->nr_files)
		errx(1, "%s: no files", path);
	nr_trees++;
}

/* --- processes that must exit --- */

static void show_stuck(pid_t pid)
{
	static const char * const what[] = { "wchan", "syscall", "stack" };
	char path[64], text[900];
	unsigned int i;
	ssize_t n;
	int fd;

	for (i = 0; i < 3; i++) {
		snprintf(path, sizeof(path), "/proc/%d/%s", pid, what[i]);
		fd = open(path, O_RDONLY);
		n = fd < 0 ? -1 : read(fd, text, sizeof(text) - 1);
		if (n > 0)
			say("%s: %.*s", path, (int)n, text);
		if (fd >= 0)
			close(fd);
	}
}

static bool write_text(const char *path, const char *text)
{
	int fd = open(path, O_WRONLY | O_CLOEXEC);
	bool ok = fd >= 0 && write(fd, text, strlen(text)) > 0;

	if (fd >= 0)
		close(fd);
	return ok;
}

/* Return: its status. A process that does not exit fails the test. */
static int reap(pid_t pid, const char *what)
{
	double until = now() + TIMEOUT;
	int status;

	while (waitpid(pid, &status, WNOHANG) != pid) {
		if (now() > until) {
			say("stuck: %s, process %d", what, pid);
			show_stuck(pid);
			write_text("/proc/sysrq-trigger", "w");
			exit(1);
		}
		usleep(2000);
	}
	return status;
}

static void kill_and_reap(pid_t *pid, const char *what)
{
	if (*pid <= 0)
		return;
	kill(*pid, SIGKILL);
	reap(*pid, what);
	*pid = 0;
}

static bool requests_left(void)
{
	FILE *f = fopen(PROC "requests", "r");
	char line[1024];
	int lines = 0;

	while (f && fgets(line, sizeof(line), f))
		lines++;
	if (f)
		fclose(f);
	return lines != 1;
}

/* Children of the previous daemon may keep the device open for a moment. */
static int wait_for_device(void)
{
	double until = now() + TIMEOUT;
	int dev;

	while ((dev = open_device()) < 0) {
		if (errno != EBUSY || now() > until) {
			say("the device cannot be opened: %s", strerror(errno));
			_exit(1);
		}
		usleep(2000);
	}
	/* All requests to the previous daemon must have failed. */
	if (requests_left()) {
		count(NR_broken);
		say("requests are pending without a daemon");
	}
	return dev;
}

static int bound_device(void)
{
	int dev = wait_for_device(), err = bind_device(dev);

	if (err) {
		count(NR_broken);
		say("bind: %s", strerror(-err));
	}
	return dev;
}

/* --- processes that are killed and restarted --- */

static void drop_device(void)
{
	if (sv.device >= 0)
		close(sv.device);
	sv.device = -1;
}

static void start_daemon(void)
{
	unsigned int life = sv.daemons++;
	bool restored = sv.device >= 0;

	count(NR_lives);
	if (!restored && one_in(&sv.dice, 3))
		sv.device = bound_device();
	sv.daemon = fork();
	if (sv.daemon)
		return;
	close(sv.sock[1]);
	daemon_main(sv.device >= 0 ? sv.device : bound_device(), sv.sock[0], life, restored);
}

static void start_keeper(void)
{
	unsigned int life = sv.keepers++;

	sv.keeper = fork();
	if (sv.keeper)
		return;
	drop_device();
	close(sv.sock[0]);
	keeper_main(sv.sock[1], life);
}

static void start_reader(unsigned int slot)
{
	unsigned int life = sv.readers++;

	sv.reader[slot] = fork();
	if (sv.reader[slot])
		return;
	drop_device();
	close(sv.sock[0]);
	close(sv.sock[1]);
	reader_main(slot, life);
}

static void kill_daemon(void)
{
	kill_and_reap(&sv.daemon, "the daemon");
	count(NR_kills);
	if (one_in(&sv.dice, 2))
		drop_device();
	if (one_in(&sv.dice, 3))
		usleep(any(&sv.dice, 200000));
	start_daemon();
}

static void kill_reader(void)
{
	unsigned int slot = any(&sv.dice, SLOTS);

	kill_and_reap(&sv.reader[slot], "a reader");
	count(NR_reader_kills);
	start_reader(slot);
}

static void stop_daemon_for_a_while(void)
{
	kill(sv.daemon, SIGSTOP);
	usleep(any(&sv.dice, 100000));
	kill(sv.daemon, SIGCONT);
}

static void change_window(void)
{
	char text[16];

	snprintf(text, sizeof(text), "%u", 4U << any(&sv.dice, 10));
	if (!write_text("/sys/module/cachefiles_od/parameters/window_kib", text))
		count(NR_broken);
}

/*
 * drop_caches waits for every file system that is being mounted, and thereby for
 * the daemon: not in the process that kills the daemon.
 */
static void drop_caches(void)
{
	const char *what = one_in(&sv.dice, 2) ? "3" : "1";

	if (sv.dropper && waitpid(sv.dropper, NULL, WNOHANG) != sv.dropper)
		return;
	sv.dropper = fork();
	if (sv.dropper)
		return;
	drop_device();
	_exit(!write_text("/proc/sys/vm/drop_caches", what));
}

/* All numbers below ACTIONS in random order, then again: none is left out for long. */
#define ACTIONS	24

static unsigned int next_action(void)
{
	static unsigned int deck[ACTIONS], left;
	unsigned int i, drawn;

	if (!left) {
		for (i = 0; i < ACTIONS; i++)
			deck[i] = i;
		left = ACTIONS;
	}
	i = any(&sv.dice, left);
	drawn = deck[i];
	deck[i] = deck[--left];
	return drawn;
}

static void disturb(void)
{
	usleep(any(&sv.dice, 40000));
	switch (next_action()) {
	case 0:
		kill_daemon();
		break;
	case 1:
		drop_caches();
		break;
	case 2:
		change_window();
		break;
	case 3:
		kill_and_reap(&sv.keeper, "the keeper");
		start_keeper();
		break;
	case 4:
		stop_daemon_for_a_while();
		break;
	case 5 ... 10:
		kill_reader();
		break;
	}
}

static void check_alive(void)
{
	int status;

	if (waitpid(sv.daemon, &status, WNOHANG) != sv.daemon)
		return;
	count(NR_broken);
	say("the daemon exited: status %x", status);
	sv.daemon = 0;
	drop_device();
	start_daemon();
}

/*
 * Without a daemon nothing may wait: readers exit, unmounts succeed, and the
 * device is free.
 */
static void finish(void)
{
	unsigned int slot;

	__atomic_store_n(&shared->stop, true, __ATOMIC_RELAXED);
	kill_and_reap(&sv.daemon, "the daemon");
	kill_and_reap(&sv.keeper, "the keeper");
	drop_device();
	for (slot = 0; slot < SLOTS; slot++)
		reap(sv.reader[slot], "a reader without a daemon");
	if (sv.dropper)
		reap(sv.dropper, "the process that drops caches");
	for (slot = 0; slot < SLOTS; slot++)
		if (!clear_slot(slot, TIMEOUT)) {
			count(NR_broken);
			say("slot %u is not unmounted: %s", slot, strerror(errno));
		}
	close(wait_for_device());
}

static const char * const names[] = {
#define NAME(name)	#name,
	COUNTS(NAME)
#undef NAME
};

/* Return: an event that a run must have but has not had, or NR_COUNTS. */
static enum count never_seen(void)
{
	static const enum count expected[] = { NR_steps, NR_opens, NR_reads, NR_copen_ok,
		NR_copen_rejected, NR_complete_ok, NR_complete_rejected, NR_fill_ok,
		NR_fill_rejected, NR_fd_closed, NR_fd_passed, NR_kills, NR_reader_kills, NR_mounts,
		NR_mount_errors, NR_checked, NR_read_errors };
	unsigned int i;

	for (i = 0; i < sizeof(expected) / sizeof(expected[0]); i++)
		if (!shared->count[expected[i]])
			return expected[i];
	return NR_COUNTS;
}

/* Return: true if all expected events and no others have happened. */
static bool judge(void)
{
	enum count never = never_seen();
	char line[900];

	format_counts(line, sizeof(line), names, shared->count, NR_COUNTS);
	say("%s", line);
	if (never != NR_COUNTS)
		say("never: %s", names[never]);
	return never == NR_COUNTS && !shared->count[NR_wrong] && !shared->count[NR_broken];
}

/* A slow host may take longer until each event has happened. */
static bool is_over(double start)
{
	double seconds = now() - start;

	if (seconds < options.seconds && shared->count[NR_steps] < options.steps)
		return false;
	return never_seen() == NR_COUNTS || seconds > 6 * options.seconds;
}

static int run(void)
{
	double start = now();
	unsigned int slot;
	char path[256];

	/* The socket of the keeper may be broken when the daemon writes to it. */
	signal(SIGPIPE, SIG_IGN);
	if (socketpair(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0, sv.sock))
		err(1, "socketpair");
	sv.dice = new_dice(0, 2000);
	start_daemon();
	start_keeper();
	for (slot = 0; slot < SLOTS; slot++) {
		slot_path(path, slot);
		mkdir(path, 0755);
		start_reader(slot);
	}
	while (!is_over(start)) {
		disturb();
		check_alive();
	}
	finish();
	return !judge();
}

static int check(char **arg)
{
	options.right = true;
	load_tree("check", arg[1]);
	check_tree(arg[0], &trees[0]);
	say("%lu bytes, %lu errors, %lu wrong", shared->count[NR_bytes],
	    shared->count[NR_read_errors], shared->count[NR_wrong]);
	return shared->count[NR_wrong] ? 1 : shared->count[NR_read_errors] ? 2 : 0;
}

static bool parse(int argc, char **argv)
{
	char *tree;

	if (argc < 9 || (strcmp(argv[1], "right") && strcmp(argv[1], "any")))
		return false;
	options = (struct options){
		.right = argv[1][0] == 'r', .seed = strtoul(argv[2], NULL, 0),
		.steps = strtoul(argv[3], NULL, 0), .seconds = strtoul(argv[4], NULL, 0),
		.cache = argv[5], .mounts = argv[6],
	};
	load_blobs(argv[7]);
	for (argv += 8; *argv; argv++) {
		tree = strchr(*argv, '=');
		if (!tree)
			return false;
		*tree++ = 0;
		load_tree(*argv, tree);
	}
	return true;
}

int main(int argc, char **argv)
{
	shared = mmap(NULL, sizeof(*shared), PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS,
		      -1, 0);
	if (shared == MAP_FAILED)
		err(1, NULL);
	if (argc == 4 && !strcmp(argv[1], "check"))
		return check(argv + 2);
	if (parse(argc, argv))
		return run();
	fprintf(stderr, "usage: see the head of hostile.c\n");
	return 2;
}
