// SPDX-License-Identifier: GPL-2.0-only
/*
 * fdstore: run a service as systemd does with Restart=always and FileDescriptorStoreMax=1.
 *
 *	PIDFILE COMMAND...	start COMMAND, and restart it whenever it exits; PIDFILE has
 *				the pid of the last start
 *
 * fds that it stores are kept open and passed to each later start. SIGTERM ends both. With
 * NOTIFY_SOCKET in the environment, it listens on a socket of that path.
 */
#include <err.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/signalfd.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <unistd.h>

#define FIRST_FD	3

static int stored = -1;
static char stored_name[64];

/* By default an address without a file. */
static int listen_for_messages(void)
{
	struct sockaddr_un address = { .sun_family = AF_UNIX };
	int fd = socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0);
	const char *path = getenv("NOTIFY_SOCKET");
	size_t length;

	if (path)
		snprintf(address.sun_path, sizeof(address.sun_path), "%s", path);
	else
		snprintf(address.sun_path, sizeof(address.sun_path), "@fdstore-%d", (int)getpid());
	setenv("NOTIFY_SOCKET", address.sun_path, 1);
	length = offsetof(struct sockaddr_un, sun_path) + strlen(address.sun_path) + !!path;
	if (!path)
		address.sun_path[0] = '\0';
	if (fd < 0 || bind(fd, (struct sockaddr *)&address, length))
		err(1, "socket");
	return fd;
}

static void write_pid(const char *path, pid_t pid)
{
	char temporary[256];
	FILE *out;

	snprintf(temporary, sizeof(temporary), "%s.new", path);
	out = fopen(temporary, "w");
	if (!out || fprintf(out, "%d\n", (int)pid) < 0 || fclose(out) || rename(temporary, path))
		err(1, "%s", path);
}

static pid_t start(char **command)
{
	pid_t pid = fork();
	char text[16];
	sigset_t none;

	if (pid < 0)
		err(1, "fork");
	if (pid)
		return pid;
	sigemptyset(&none);
	sigprocmask(SIG_SETMASK, &none, NULL);
	if (stored >= 0) {
		if (dup2(stored, FIRST_FD) < 0)
			err(1, "dup2");
		snprintf(text, sizeof(text), "%d", (int)getpid());
		setenv("LISTEN_PID", text, 1);
		setenv("LISTEN_FDS", "1", 1);
		setenv("LISTEN_FDNAMES", stored_name, 1);
	}
	execvp(command[0], command);
	err(127, "%s", command[0]);
}

static void keep(const char *text, int fd)
{
	const char *name = strstr(text, "FDNAME=");

	if (!strstr(text, "FDSTORE=1") || !name || stored >= 0 ||
	    sscanf(name, "FDNAME=%63[^\n]", stored_name) != 1)
		errx(1, "unexpected fd with: %s", text);
	/* Avoids the number of the fd that a start is passed. */
	stored = fcntl(fd, F_DUPFD_CLOEXEC, FIRST_FD + 1);
	if (stored < 0)
		err(1, "F_DUPFD");
	close(fd);
}

static void receive(int from)
{
	char text[512], control[CMSG_SPACE(sizeof(int))];
	struct iovec iov = { .iov_base = text, .iov_len = sizeof(text) - 1 };
	struct msghdr msg = { .msg_iov = &iov, .msg_iovlen = 1, .msg_control = control,
			      .msg_controllen = sizeof(control) };
	struct cmsghdr *cmsg;
	ssize_t n = recvmsg(from, &msg, MSG_CMSG_CLOEXEC);
	int fd;

	if (n < 0)
		err(1, "recvmsg");
	text[n] = '\0';
	cmsg = CMSG_FIRSTHDR(&msg);
	if (!cmsg || cmsg->cmsg_type != SCM_RIGHTS)
		return;
	memcpy(&fd, CMSG_DATA(cmsg), sizeof(fd));
	keep(text, fd);
}

int main(int argc, char **argv)
{
	int messages = listen_for_messages(), signals;
	struct signalfd_siginfo info;
	bool ending = false;
	sigset_t set;
	pid_t pid;

	if (argc < 3)
		errx(2, "usage: fdstore PIDFILE COMMAND...");
	sigemptyset(&set);
	sigaddset(&set, SIGCHLD);
	sigaddset(&set, SIGTERM);
	sigprocmask(SIG_BLOCK, &set, NULL);
	signals = signalfd(-1, &set, SFD_CLOEXEC);
	pid = start(argv + 2);
	write_pid(argv[1], pid);
	while (!ending) {
		struct pollfd fds[] = { { .fd = messages, .events = POLLIN },
					{ .fd = signals, .events = POLLIN } };

		if (poll(fds, 2, -1) < 0)
			err(1, "poll");
		if (fds[0].revents) {
			receive(messages);
			continue;
		}
		if (read(signals, &info, sizeof(info)) != sizeof(info))
			err(1, "signalfd");
		ending = info.ssi_signo == SIGTERM;
		if (ending)
			kill(pid, SIGKILL);
		if (waitpid(pid, NULL, ending ? 0 : WNOHANG) == pid && !ending) {
			pid = start(argv + 2);
			write_pid(argv[1], pid);
		}
	}
	return 0;
}
