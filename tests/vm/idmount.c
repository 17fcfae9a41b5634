// SPDX-License-Identifier: GPL-2.0-only
/*
 * idmount: clone a mount to another path, with shifted owners.
 *
 *	idmount MOUNT DIR BY           owners on DIR are those of the file system + BY
 *	idmount --as UID PATH          read a file as that user
 *
 * Exit status 77: the kernel does not support idmapped mounts.
 */
#include <err.h>
#include <errno.h>
#include <fcntl.h>
#include <linux/mount.h>
#include <sched.h>
#include <signal.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#define UNSUPPORTED	77
#define OWNERS	1000000

/* Values of the kernel's headers, which the build host may lack. */
#define OPEN_TREE_CLONE		1
#define MOVE_EMPTY_PATH		4
#define IDMAP			0x00100000

#ifndef SYS_open_tree
#define SYS_open_tree		428
#define SYS_move_mount		429
#endif
#ifndef SYS_mount_setattr
#define SYS_mount_setattr	442
#endif

struct attributes {
	uint64_t set, clear, propagation, userns_fd;
};

static void put(const char *path, const char *line)
{
	int fd = open(path, O_WRONLY);

	if (fd < 0 || write(fd, line, strlen(line)) < 0)
		err(1, "%s", path);
	close(fd);
}

/* A user namespace with that mapping, through a process in it. */
static int user_ns(unsigned int by)
{
	int ready[2], go[2], fd;
	char path[64], line[64];
	pid_t pid;

	if (pipe(ready) || pipe(go))
		err(1, "pipe");
	pid = fork();
	if (pid < 0)
		err(1, "fork");
	if (!pid) {
		char c = unshare(CLONE_NEWUSER) ? 'n' : 'y';

		if (write(ready[1], &c, 1) == 1 && read(go[0], &c, 1) < 0)
			_exit(1);
		_exit(0);
	}
	if (read(ready[0], line, 1) != 1 || line[0] != 'y')
		errx(1, "no user namespace");
	snprintf(line, sizeof(line), "0 %u %u", by, OWNERS);
	snprintf(path, sizeof(path), "/proc/%d/uid_map", pid);
	put(path, line);
	snprintf(path, sizeof(path), "/proc/%d/gid_map", pid);
	put(path, line);
	snprintf(path, sizeof(path), "/proc/%d/ns/user", pid);
	fd = open(path, O_RDONLY);
	if (fd < 0)
		err(1, "%s", path);
	kill(pid, SIGKILL);
	waitpid(pid, NULL, 0);
	return fd;
}

static void mount_shifted(const char *from, const char *to, unsigned int by)
{
	struct attributes attributes = { .set = IDMAP, .userns_fd = user_ns(by) };
	int tree = syscall(SYS_open_tree, AT_FDCWD, from, OPEN_TREE_CLONE);

	if (tree < 0)
		err(1, "open_tree");
	if (syscall(SYS_mount_setattr, tree, "", AT_EMPTY_PATH, &attributes, sizeof(attributes))) {
		if (errno == ENOSYS)
			exit(UNSUPPORTED);
		err(1, "mount_setattr");
	}
	if (syscall(SYS_move_mount, tree, "", AT_FDCWD, to, MOVE_EMPTY_PATH))
		err(1, "move_mount");
}

static void read_as(unsigned int uid, const char *path)
{
	char buf[4096];
	ssize_t n;
	int fd;

	if (setgid(uid) || setuid(uid))
		err(1, "setuid");
	fd = open(path, O_RDONLY);
	if (fd < 0)
		err(1, "%s", path);
	while ((n = read(fd, buf, sizeof(buf))) > 0)
		fwrite(buf, 1, n, stdout);
	if (n < 0)
		err(1, "%s", path);
}

int main(int argc, char **argv)
{
	if (argc == 4 && !strcmp(argv[1], "--as"))
		read_as(strtoul(argv[2], NULL, 10), argv[3]);
	else if (argc == 4)
		mount_shifted(argv[1], argv[2], strtoul(argv[3], NULL, 10));
	else
		errx(2, "usage: idmount MOUNT DIR BY");
	return 0;
}
