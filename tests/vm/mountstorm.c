// SPDX-License-Identifier: GPL-2.0-only
/*
 * mountstorm: many mounts, by many processes at once.
 *
 *	mount DIR OPTIONS FSID FIRST NR PROCESSES
 *			mount FSID<n> on DIR/<n>, for NR numbers starting at FIRST
 *	read DIR TREE FIRST NR PROCESSES
 *			compare one file of each of those mounts, a different one for each
 *	umount DIR FIRST NR PROCESSES
 *			odd processes in reverse order of the mounts, even ones in order
 *	same DIR TREE	compare all files of one mount with those in TREE
 *	storm DIR TREE FSID IMAGES DOMAINS PROCESSES ROUNDS SEED
 *			each process mounts one of IMAGES images FSID<n>, in one of DOMAINS
 *			domains or in none, reads files, and unmounts one of the up to
 *			three that it has mounted; some mounts are killed, some must fail
 *
 * TREE is a directory of files. Prints counts; the exit status is not 0 after any
 * unexpected error.
 */
#include "guest.h"

#include <err.h>
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#define FILES_MAX	1000
#define HELD		3
/* Time limit: a process that hangs is killed, and fails. */
#define SECONDS		300

static char *files[FILES_MAX];
static unsigned int nr_files;

/* Shared by all processes. */
static struct counts {
	unsigned int mounted, failed, busy, killed, read;
} *counts;

static int open_in(const char *dir, const char *name)
{
	char path[4096];
	int fd;

	snprintf(path, sizeof(path), "%s/%s", dir, name);
	fd = open(path, O_RDONLY);
	if (fd < 0)
		err(1, "%s", path);
	return fd;
}

static void compare(const char *dir, const char *tree, const char *name)
{
	static char got[65536], wanted[65536];
	int a = open_in(dir, name), b = open_in(tree, name);
	off_t at = 0;
	ssize_t n;

	do {
		n = pread(b, wanted, sizeof(wanted), at);
		if (n < 0)
			err(1, "%s/%s at %lld", tree, name, (long long)at);
		if (pread(a, got, sizeof(got), at) != n)
			err(1, "%s/%s at %lld", dir, name, (long long)at);
		if (memcmp(got, wanted, n))
			errx(1, "%s/%s: wrong data in the block at %lld", dir, name, (long long)at);
		at += n;
	} while (n);
	close(a);
	close(b);
}

static void path_of(char path[256], const char *dir, unsigned int n)
{
	snprintf(path, 256, "%s/%u", dir, n);
}

/* Return: 0 or an errno. */
static int try_mount(const char *path, const char *options, const char *fsid, int n)
{
	char all[512], number[16] = "";

	if (n >= 0)
		snprintf(number, sizeof(number), "%d", n);
	snprintf(all, sizeof(all), "%s%sfsid=%s%s", options, *options ? "," : "", fsid, number);
	return mount("none", path, "erofs_od", MS_RDONLY, all) ? errno : 0;
}

static int wait_for_all(void)
{
	int status, bad = 0;

	while (wait(&status) > 0)
		bad |= status != 0;
	return bad;
}

/* Each process runs for every PROCESSESth of NR numbers. */
static int spread(unsigned int nr, unsigned int processes,
		  void (*run)(unsigned int process, unsigned int first, unsigned int step,
			      unsigned int nr, char **arg), char **arg)
{
	unsigned int i;

	for (i = 0; i < processes; i++)
		if (!fork()) {
			alarm(SECONDS);
			run(i, i, processes, nr, arg);
			_exit(0);
		}
	return wait_for_all();
}

static void mount_some(unsigned int process, unsigned int first, unsigned int step,
		       unsigned int nr, char **arg)
{
	unsigned int base = strtoul(arg[3], NULL, 0), i;
	char path[256];
	int error;

	(void)process;
	for (i = first; i < nr; i += step) {
		path_of(path, arg[0], base + i);
		mkdir(path, 0755);
		error = try_mount(path, arg[1], arg[2], base + i);
		if (error)
			errx(1, "mount of %s%u: %s", arg[2], base + i, strerror(error));
	}
}

static int mount_all(char **arg)
{
	return spread(strtoul(arg[4], NULL, 0), strtoul(arg[5], NULL, 0), mount_some, arg);
}

static void read_some(unsigned int process, unsigned int first, unsigned int step,
		      unsigned int nr, char **arg)
{
	unsigned int base = strtoul(arg[2], NULL, 0), i;
	char path[256];

	(void)process;
	for (i = first; i < nr; i += step) {
		path_of(path, arg[0], base + i);
		compare(path, arg[1], files[(base + i) % nr_files]);
	}
}

static int read_all(char **arg)
{
	nr_files = list_names(arg[1], files, FILES_MAX);
	return spread(strtoul(arg[3], NULL, 0), strtoul(arg[4], NULL, 0), read_some, arg);
}

static void umount_some(unsigned int process, unsigned int first, unsigned int step,
			unsigned int nr, char **arg)
{
	unsigned int base = strtoul(arg[1], NULL, 0), mine = (nr - first + step - 1) / step, i;
	char path[256];

	for (i = 0; i < mine; i++) {
		unsigned int n = process % 2 ? mine - 1 - i : i;

		path_of(path, arg[0], base + first + n * step);
		if (umount(path))
			err(1, "unmount of %s", path);
	}
}

static int umount_all(char **arg)
{
	return spread(strtoul(arg[2], NULL, 0), strtoul(arg[3], NULL, 0), umount_some, arg);
}

static int same(char **arg)
{
	unsigned int i;

	nr_files = list_names(arg[1], files, FILES_MAX);
	for (i = 0; i < nr_files; i++)
		compare(arg[0], arg[1], files[i]);
	printf("%u files\n", nr_files);
	return 0;
}

/* --- the storm --- */

struct stormer {
	const char *dir, *tree, *fsid;
	unsigned int process, images, domains;
	struct random_data random;
	char random_state[64];
	bool held[HELD];
};

static unsigned int any(struct stormer *s, unsigned int below)
{
	int32_t value;

	random_r(&s->random, &value);
	return value % below;
}

static void storm_path(struct stormer *s, unsigned int nr, char path[256])
{
	snprintf(path, 256, "%s/p%u-%u", s->dir, s->process, nr);
}

/* One of DOMAINS + 1 choices is no domain. */
static void storm_domain(struct stormer *s, char options[64])
{
	unsigned int domain = any(s, s->domains + 1);

	*options = 0;
	if (domain)
		snprintf(options, 64, "domain_id=storm%u", domain);
}

static void umount_one(struct stormer *s, unsigned int nr)
{
	char path[256];

	storm_path(s, nr, path);
	if (umount(path))
		err(1, "unmount of %s", path);
	s->held[nr] = false;
}

/* The mount of an image that lacks a blob fails, and must release its references. */
static void mount_without_blob(struct stormer *s, const char *path, const char *options)
{
	int error = try_mount(path, options, "lacks-a-blob", -1);

	if (error != ENOENT && error != EBUSY)
		errx(1, "mount without a blob: %s", strerror(error));
	__atomic_add_fetch(&counts->failed, 1, __ATOMIC_RELAXED);
	(void)s;
}

/* A killed mount may have succeeded. */
static void mount_and_kill(struct stormer *s, const char *path, const char *options)
{
	int image = any(s, s->images);
	pid_t pid = fork();

	if (!pid) {
		try_mount(path, options, s->fsid, image);
		_exit(0);
	}
	usleep(any(s, 15000));
	kill(pid, SIGKILL);
	waitpid(pid, NULL, 0);
	if (umount(path) && errno != EINVAL)
		err(1, "unmount of %s", path);
	__atomic_add_fetch(&counts->killed, 1, __ATOMIC_RELAXED);
}

static void mount_one(struct stormer *s, unsigned int nr, const char *path,
		      const char *options)
{
	int error = try_mount(path, options, s->fsid, any(s, s->images));

	/* Another mount has the volume, without a domain or in one. */
	if (error == EBUSY) {
		__atomic_add_fetch(&counts->busy, 1, __ATOMIC_RELAXED);
		return;
	}
	if (error)
		errx(1, "mount with %s: %s", options, strerror(error));
	__atomic_add_fetch(&counts->mounted, 1, __ATOMIC_RELAXED);
	s->held[nr] = true;
}

static void storm_round(struct stormer *s)
{
	unsigned int nr = any(s, HELD), reads;
	char path[256], options[64];

	if (s->held[nr]) {
		umount_one(s, nr);
		return;
	}
	storm_path(s, nr, path);
	storm_domain(s, options);
	switch (any(s, 8)) {
	case 0:
		mount_without_blob(s, path, options);
		return;
	case 1:
		mount_and_kill(s, path, options);
		return;
	}
	mount_one(s, nr, path, options);
	for (reads = any(s, 3); s->held[nr] && reads; reads--) {
		compare(path, s->tree, files[any(s, nr_files)]);
		__atomic_add_fetch(&counts->read, 1, __ATOMIC_RELAXED);
	}
}

static int storm(char **arg)
{
	unsigned int processes = strtoul(arg[5], NULL, 0), rounds = strtoul(arg[6], NULL, 0), i;
	struct stormer s = {
		.dir = arg[0], .tree = arg[1], .fsid = arg[2],
		.images = strtoul(arg[3], NULL, 0), .domains = strtoul(arg[4], NULL, 0),
	};
	char path[256];
	int bad;

	nr_files = list_names(arg[1], files, FILES_MAX);
	for (s.process = 0; s.process < processes; s.process++) {
		for (i = 0; i < HELD; i++) {
			storm_path(&s, i, path);
			mkdir(path, 0755);
		}
		if (fork())
			continue;
		alarm(SECONDS);
		initstate_r(strtoul(arg[7], NULL, 0) + s.process, s.random_state,
			    sizeof(s.random_state), &s.random);
		for (i = 0; i < rounds; i++)
			storm_round(&s);
		for (i = 0; i < HELD; i++)
			if (s.held[i])
				umount_one(&s, i);
		_exit(0);
	}
	bad = wait_for_all();
	printf("%u mounted, %u busy, %u failed, %u killed, %u files read\n",
	       counts->mounted, counts->busy, counts->failed, counts->killed, counts->read);
	return bad;
}

static const struct {
	const char *name;
	int args;
	int (*run)(char **arg);
} commands[] = {
	{ "mount", 6, mount_all },
	{ "read", 5, read_all },
	{ "umount", 4, umount_all },
	{ "same", 2, same },
	{ "storm", 8, storm },
};

int main(int argc, char **argv)
{
	size_t i;

	counts = mmap(NULL, sizeof(*counts), PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS,
		      -1, 0);
	if (counts == MAP_FAILED)
		err(1, NULL);
	for (i = 0; i < sizeof(commands) / sizeof(commands[0]); i++)
		if (argc == commands[i].args + 2 && !strcmp(argv[1], commands[i].name))
			return commands[i].run(argv + 2);
	fprintf(stderr, "usage: see the head of mountstorm.c\n");
	return 2;
}
