// SPDX-License-Identifier: GPL-2.0-only
/*
 * deaflistener: listen for fanotify permission events of a whole file system, and
 * never reply. Prints "ready MASK", then a line for each event.
 *
 *	deaflistener DIR NAME...   open, access, precontent
 *
 * Exit status 77: the kernel does not support these events.
 */
#include <err.h>
#include <errno.h>
#include <fcntl.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <sys/fanotify.h>
#include <unistd.h>

#ifndef FAN_PRE_ACCESS
#define FAN_PRE_ACCESS	0x00100000
#endif

#define UNSUPPORTED	77

static uint64_t mask_of(const char *name)
{
	if (!strcmp(name, "open"))
		return FAN_OPEN_PERM;
	if (!strcmp(name, "access"))
		return FAN_ACCESS_PERM;
	if (!strcmp(name, "precontent"))
		return FAN_PRE_ACCESS;
	errx(2, "unknown event '%s'", name);
}

static void print_events(const char *buf, size_t len)
{
	const struct fanotify_event_metadata *event = (const void *)buf;
	char link[64], path[4096];
	ssize_t n;

	for (; FAN_EVENT_OK(event, len); event = FAN_EVENT_NEXT(event, len)) {
		snprintf(link, sizeof(link), "/proc/self/fd/%d", event->fd);
		n = readlink(link, path, sizeof(path) - 1);
		path[n < 0 ? 0 : n] = '\0';
		printf("%#llx pid %d %s\n", (unsigned long long)event->mask, event->pid, path);
	}
}

int main(int argc, char **argv)
{
	static char buf[16384] __attribute__((aligned(8)));
	uint64_t mask = 0;
	ssize_t n;
	int fd, i;

	if (argc < 3)
		errx(2, "usage: see the head of deaflistener.c");
	for (i = 2; i < argc; i++)
		mask |= mask_of(argv[i]);
	fd = fanotify_init(FAN_CLASS_PRE_CONTENT | FAN_CLOEXEC, O_RDONLY | O_LARGEFILE);
	if (fd < 0 && errno != ENOSYS)
		err(1, "fanotify_init");
	if (fd < 0 || fanotify_mark(fd, FAN_MARK_ADD | FAN_MARK_FILESYSTEM, mask, AT_FDCWD,
				    argv[1]))
		err(errno == EINVAL || errno == ENOSYS || errno == EOPNOTSUPP ? UNSUPPORTED : 1,
		    "%s", argv[1]);
	setvbuf(stdout, NULL, _IOLBF, 0);
	printf("ready %#llx\n", (unsigned long long)mask);
	while ((n = read(fd, buf, sizeof(buf))) > 0)
		print_events(buf, n);
	err(1, "fanotify");
}
