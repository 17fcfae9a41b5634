// SPDX-License-Identifier: GPL-2.0-only
/*
 * dirways: list a directory through all interfaces of user space. Each command
 * prints the number of entries; exits with status 1 after errors, which it prints.
 *
 *	count DIR             each entry is listed once, positions increase
 *	seek DIR NR           seek to NR positions, throughout: the same entries follow
 *	buffers DIR           the same list with any buffer size, even one entry at a time
 *	types DIR             types and inode numbers equal those of lstat(2)
 *	two DIR               two processes, and two threads that share an open file
 *	bytes DIR             a name of each byte but '/', and that byte between others
 *	lookup DIR FORMAT FROM TO
 *	                      names by a printf format with one number: all exist
 *	lacks DIR FORMAT FROM TO
 *	                      none exists
 */
#include <dirent.h>
#include <err.h>
#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

/* A record of getdents64(2). */
struct raw {
	uint64_t ino;
	int64_t off;
	uint16_t reclen;
	uint8_t type;
	char name[];
};

struct entry {
	char *name;
	uint64_t ino;
	int64_t next;
	uint8_t type;
};

struct list {
	struct entry *e;
	size_t nr, room;
};

static int failures;

__attribute__((format(printf, 1, 2)))
static void bad(const char *format, ...)
{
	va_list ap;

	/* The first few are enough. */
	if (failures++ >= 10)
		return;
	va_start(ap, format);
	vprintf(format, ap);
	va_end(ap);
	putchar('\n');
}

static int open_dir(const char *path)
{
	int fd = open(path, O_RDONLY | O_DIRECTORY);

	if (fd < 0)
		err(1, "%s", path);
	return fd;
}

static void add(struct list *list, const struct raw *raw)
{
	if (list->nr == list->room) {
		list->room = list->room ? 2 * list->room : 1024;
		list->e = realloc(list->e, list->room * sizeof(*list->e));
		if (!list->e)
			err(1, NULL);
	}
	list->e[list->nr++] = (struct entry){
		.name = strdup(raw->name),
		.ino = raw->ino,
		.next = raw->off,
		.type = raw->type,
	};
}

/* One getdents64(2) call; returns its result. */
static long get_some(int fd, struct list *list, size_t size)
{
	static _Thread_local char buf[65536] __attribute__((aligned(8)));
	long n = syscall(SYS_getdents64, fd, buf, size), at;

	for (at = 0; at < n; at += ((struct raw *)(buf + at))->reclen)
		add(list, (struct raw *)(buf + at));
	return n;
}

static struct list get_all(int fd, size_t size)
{
	struct list list = { 0 };
	long n;

	while ((n = get_some(fd, &list, size)) > 0)
		;
	if (n < 0)
		err(1, "getdents64 by %zu", size);
	return list;
}

static struct list list_of(const char *path)
{
	int fd = open_dir(path);
	struct list list = get_all(fd, 65536);

	close(fd);
	return list;
}

static bool same(const struct list *a, const struct list *b)
{
	size_t i;

	if (a->nr != b->nr)
		return false;
	for (i = 0; i < a->nr; i++)
		if (strcmp(a->e[i].name, b->e[i].name) || a->e[i].ino != b->e[i].ino ||
		    a->e[i].next != b->e[i].next || a->e[i].type != b->e[i].type)
			return false;
	return true;
}

static int by_name(const void *a, const void *b)
{
	return strcmp(((const struct entry *)a)->name, ((const struct entry *)b)->name);
}

static void each_once(struct list *list)
{
	size_t i;

	qsort(list->e, list->nr, sizeof(*list->e), by_name);
	for (i = 1; i < list->nr; i++)
		if (!strcmp(list->e[i].name, list->e[i - 1].name))
			bad("%s is listed twice", list->e[i].name);
}

static int count(char **arg)
{
	struct list list = list_of(arg[0]);
	size_t i;

	for (i = 1; i < list.nr; i++)
		if (list.e[i].next <= list.e[i - 1].next)
			bad("position %lld after %s does not increase", (long long)list.e[i].next,
			    list.e[i].name);
	each_once(&list);
	printf("%zu entries\n", list.nr);
	return failures != 0;
}

static void check_position(int fd, const struct list *list, size_t i)
{
	struct list got = { 0 };
	long n;

	if (lseek(fd, list->e[i].next, SEEK_SET) != list->e[i].next)
		err(1, "lseek to %lld", (long long)list->e[i].next);
	n = get_some(fd, &got, 512);
	if (n < 0)
		bad("after %s: %s", list->e[i].name, strerror(errno));
	else if (!n && i + 1 < list->nr)
		bad("after %s: end of directory", list->e[i].name);
	else if (n && i + 1 == list->nr)
		bad("after the last entry: %s", got.e[0].name);
	else if (n && strcmp(got.e[0].name, list->e[i + 1].name))
		bad("after %s: %s, expected %s", list->e[i].name, got.e[0].name,
		    list->e[i + 1].name);
	while (got.nr)
		free(got.e[--got.nr].name);
	free(got.e);
}

/* Through the C library, too, which buffers more than one entry. */
static void check_library(const char *path, const struct list *list)
{
	DIR *dir = opendir(path);
	size_t i, step = list->nr / 50 + 1;
	long *position = calloc(list->nr, sizeof(*position));
	struct dirent *ent;

	for (i = 0; i < list->nr; i++) {
		position[i] = telldir(dir);
		if (!readdir(dir))
			errx(1, "readdir ends at %zu", i);
	}
	for (i = 0; i < list->nr; i += step) {
		size_t j = list->nr - 1 - i;

		seekdir(dir, position[j]);
		ent = readdir(dir);
		if (!ent || strcmp(ent->d_name, list->e[j].name))
			bad("seekdir to %s gives %s", list->e[j].name, ent ? ent->d_name : "the end");
	}
	rewinddir(dir);
	ent = readdir(dir);
	if (!ent || strcmp(ent->d_name, list->e[0].name))
		bad("rewinddir does not rewind");
	free(position);
	closedir(dir);
}

/* Invalid positions return an error or some entry: never a crash. */
static void check_odd_positions(int fd, const struct list *list)
{
	static const off_t far[] = { 1LL << 31, 1LL << 32, 1LL << 40, INT64_MAX - 1, INT64_MAX };
	struct list got = { 0 };
	size_t i;

	for (i = 0; i < 5000; i += 7) {
		if (lseek(fd, i, SEEK_SET) != (off_t)i)
			bad("no lseek to %zu", i);
		get_some(fd, &got, 512);
	}
	for (i = 0; i < got.nr; i++)
		if (!*got.e[i].name)
			bad("an empty name");
	for (i = 0; i < sizeof(far) / sizeof(far[0]); i++)
		if (lseek(fd, far[i], SEEK_SET) == far[i] && get_some(fd, &got, 512) > 0)
			bad("an entry at %lld", (long long)far[i]);
	if (lseek(fd, 0, SEEK_SET))
		bad("no lseek to 0");
	got = get_all(fd, 65536);
	if (!same(&got, list))
		bad("the list differs after invalid positions");
}

static int seek_dir(char **arg)
{
	struct list list = list_of(arg[0]);
	size_t nr = strtoul(arg[1], NULL, 0), step = list.nr / nr + 1, i;
	int fd = open_dir(arg[0]);

	/* Backwards from the end, then the first 400; all of a small directory. */
	for (i = 0; i < list.nr; i += step)
		check_position(fd, &list, list.nr - 1 - i);
	for (i = 0; i < list.nr && i < 400; i++)
		check_position(fd, &list, i);
	check_library(arg[0], &list);
	check_odd_positions(fd, &list);
	printf("%zu entries\n", list.nr);
	return failures != 0;
}

static int buffers(char **arg)
{
	static const size_t sizes[] = { 280, 281, 511, 1000, 4096, 32768 };
	struct list list = list_of(arg[0]), got;
	int fd = open_dir(arg[0]);
	size_t i;

	for (i = 0; i < sizeof(sizes) / sizeof(sizes[0]); i++) {
		lseek(fd, 0, SEEK_SET);
		got = get_all(fd, sizes[i]);
		if (!same(&got, &list))
			bad("the list differs with a buffer of %zu bytes", sizes[i]);
	}
	lseek(fd, 0, SEEK_SET);
	if (get_some(fd, &got, 8) != -1 || errno != EINVAL)
		bad("a buffer that is too small: not EINVAL");
	printf("%zu entries\n", list.nr);
	return failures != 0;
}

static int types(char **arg)
{
	struct list list = list_of(arg[0]);
	unsigned int seen[16] = { 0 }, kinds = 0;
	int fd = open_dir(arg[0]);
	struct stat st;
	size_t i;

	for (i = 0; i < list.nr; i++) {
		const struct entry *e = &list.e[i];

		if (fstatat(fd, e->name, &st, AT_SYMLINK_NOFOLLOW)) {
			bad("%s: %s", e->name, strerror(errno));
			continue;
		}
		if (e->type != IFTODT(st.st_mode))
			bad("%s: type %u, mode %o", e->name, e->type, st.st_mode);
		/* stat(2) of the root's ".." leads to the mount point's parent. */
		if (e->ino != st.st_ino && strcmp(e->name, ".."))
			bad("%s: inode %llu, stat says %llu", e->name,
			    (unsigned long long)e->ino, (unsigned long long)st.st_ino);
		seen[e->type & 15]++;
	}
	for (i = 0; i < 16; i++)
		kinds += seen[i] > 0;
	printf("%zu entries, %u types\n", list.nr, kinds);
	return failures != 0;
}

struct reader {
	pthread_t thread;
	int fd;
	struct list list;
};

static void *read_shared(void *data)
{
	struct reader *reader = data;

	while (get_some(reader->fd, &reader->list, 512) > 0)
		;
	return NULL;
}

static int two(char **arg)
{
	struct list list = list_of(arg[0]), both = { 0 };
	struct reader reader[2] = { { .fd = open_dir(arg[0]) } };
	int i, status;
	size_t n;

	for (i = 0; i < 2; i++)
		if (!fork()) {
			int fd = open_dir(arg[0]);
			struct list mine = get_all(fd, i ? 512 : 4096);

			_exit(!same(&mine, &list));
		}
	while (wait(&status) > 0)
		if (status)
			bad("one of two processes sees a different list");
	reader[1].fd = reader[0].fd;
	for (i = 0; i < 2; i++)
		if (pthread_create(&reader[i].thread, NULL, read_shared, &reader[i]))
			errx(1, "no thread");
	for (i = 0; i < 2; i++)
		pthread_join(reader[i].thread, NULL);
	both.nr = reader[0].list.nr + reader[1].list.nr;
	both.e = calloc(both.nr, sizeof(*both.e));
	for (n = 0; n < both.nr; n++)
		both.e[n] = n < reader[0].list.nr ? reader[0].list.e[n] :
						    reader[1].list.e[n - reader[0].list.nr];
	each_once(&both);
	each_once(&list);
	for (n = 0; n < list.nr && n < both.nr; n++)
		if (strcmp(both.e[n].name, list.e[n].name))
			bad("two threads miss %s", list.e[n].name);
	if (both.nr != list.nr)
		bad("two threads see %zu entries, one %zu", both.nr, list.nr);
	printf("%zu entries\n", list.nr);
	return failures != 0;
}

/* A file contains its own name. */
static void check_name(int dir, struct list *list, const char *name)
{
	struct entry key = { .name = (char *)name };
	char got[16] = "";
	int fd = openat(dir, name, O_RDONLY);

	if (fd < 0 || read(fd, got, sizeof(got) - 1) < 0)
		bad("byte %u: %s", (unsigned char)name[strlen(name) / 2], strerror(errno));
	else if (strcmp(got, name))
		bad("byte %u: another file", (unsigned char)name[strlen(name) / 2]);
	close(fd);
	if (!bsearch(&key, list->e, list->nr, sizeof(key), by_name))
		bad("byte %u is not listed", (unsigned char)name[strlen(name) / 2]);
}

static int bytes(char **arg)
{
	struct list list = list_of(arg[0]);
	int dir = open_dir(arg[0]), byte;

	each_once(&list);
	for (byte = 1; byte < 256; byte++) {
		char alone[] = { byte, 0 }, between[] = { 'a', byte, 'z', 0 };

		if (byte == '/')
			continue;
		check_name(dir, &list, between);
		if (byte != '.')
			check_name(dir, &list, alone);
	}
	printf("%zu entries\n", list.nr);
	return failures != 0;
}

/* Looks up the names in scattered order. */
static int look_up(char **arg, bool wanted)
{
	unsigned long from = strtoul(arg[2], NULL, 0), nr = strtoul(arg[3], NULL, 0) - from + 1, i;
	int dir = open_dir(arg[0]);
	char name[256];
	struct stat st;

	for (i = 0; i < nr; i++) {
		bool found;

#pragma GCC diagnostic push
#pragma GCC diagnostic ignored "-Wformat-nonliteral"
		snprintf(name, sizeof(name), arg[1], from + i * 7919 % nr);
#pragma GCC diagnostic pop
		found = !fstatat(dir, name, &st, AT_SYMLINK_NOFOLLOW);
		if (found != wanted || (!found && errno != ENOENT))
			bad("%s: %s", name, found ? "exists" : strerror(errno));
	}
	printf("%lu names\n", nr);
	return failures != 0;
}

static int lookup(char **arg)
{
	return look_up(arg, true);
}

static int lacks(char **arg)
{
	return look_up(arg, false);
}

static const struct {
	const char *name;
	int args;
	int (*run)(char **arg);
} commands[] = {
	{ "count", 1, count },
	{ "seek", 2, seek_dir },
	{ "buffers", 1, buffers },
	{ "types", 1, types },
	{ "two", 1, two },
	{ "bytes", 1, bytes },
	{ "lookup", 4, lookup },
	{ "lacks", 4, lacks },
};

int main(int argc, char **argv)
{
	size_t i;

	for (i = 0; i < sizeof(commands) / sizeof(commands[0]); i++)
		if (argc == commands[i].args + 2 && !strcmp(argv[1], commands[i].name))
			return commands[i].run(argv + 2);
	fprintf(stderr, "usage: see the head of dirways.c\n");
	return 2;
}
