// SPDX-License-Identifier: GPL-2.0-only
#include "recorder.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "log.h"
#include "tracefile.h"

#define TRACING		"/sys/kernel/tracing"
#define EVENT		"cachefiles_od_read_sent"
#define ENABLE		"events/cachefiles_od/" EVENT "/enable"
/* Per CPU: some ten thousand READs between two polls. */
#define BUFFER_KIB	"4096"
#define REMOVE_TRIES	100
#define REMOVE_PAUSE	(100 * 1000 * 1000)	/* ns */

static int write_text(int fd, const char *text)
{
	ssize_t n = pwrite(fd, text, strlen(text), 0);

	if (n < 0)
		return -errno;
	return (size_t)n == strlen(text) ? 0 : -EIO;
}

static int write_file(const char *dir, const char *name, const char *text)
{
	char path[4096];
	int fd, err;

	snprintf(path, sizeof(path), "%s/%s", dir, name);
	fd = open(path, O_WRONLY | O_CLOEXEC);
	err = fd < 0 ? -errno : write_text(fd, text);
	if (fd >= 0)
		close(fd);
	return err;
}

/* --- putting all back --- */

/*
 * An instance is busy while its trace_pipe is open anywhere. A killed process closes its end of
 * the guard before its trace_pipe.
 */
static int remove_instance(const char *instance)
{
	const struct timespec pause = { .tv_nsec = REMOVE_PAUSE };
	int tries;

	for (tries = 0; rmdir(instance); tries++) {
		if (errno == ENOENT)
			return 0;
		if (errno != EBUSY || tries == REMOVE_TRIES)
			return -errno;
		nanosleep(&pause, NULL);
	}
	return 0;
}

static void restore(const struct recorder *recorder)
{
	int err = write_text(recorder->window, recorder->old);

	if (err)
		log_err("window_kib=%s: not restored: %s", recorder->old, strerror(-err));
	write_file(recorder->instance, ENABLE, "0");
	err = remove_instance(recorder->instance);
	if (err)
		log_err("%s: not removed: %s", recorder->instance, strerror(-err));
}

/* Returns once the other end of the pipe is closed everywhere. */
static void wait_and_restore(struct recorder *recorder, int end)
{
	sigset_t all;
	char c;

	sigfillset(&all);
	sigprocmask(SIG_SETMASK, &all, NULL);
	setsid();
	close(recorder->guard);
	while (read(end, &c, 1) < 0 && errno == EINTR)
		;
	restore(recorder);
	_exit(0);
}

static int start_restorer(struct recorder *recorder)
{
	int ends[2];

	if (pipe2(ends, O_CLOEXEC))
		return -errno;
	recorder->guard = ends[1];
	recorder->restorer = fork();
	if (!recorder->restorer)
		wait_and_restore(recorder, ends[0]);
	close(ends[0]);
	if (recorder->restorer > 0)
		return 0;
	recorder->restorer = 0;
	return -errno;
}

/* --- beginning --- */

/* The lock is held until the value is restored, so that no process takes ours for the old one. */
static int open_window(struct recorder *recorder, const char *sysroot)
{
	char path[4096];
	ssize_t n;

	snprintf(path, sizeof(path), "%s" TRACE_WINDOW, sysroot);
	recorder->window = open(path, O_RDWR | O_CLOEXEC);
	if (recorder->window < 0) {
		log_err("%s: %s", path, strerror(errno));
		return -errno;
	}
	if (flock(recorder->window, LOCK_EX | LOCK_NB)) {
		log_err("another trace is being recorded: %s", strerror(errno));
		return -errno;
	}
	n = read(recorder->window, recorder->old, sizeof(recorder->old) - 1);
	if (n <= 0)
		return n ? -errno : -EIO;
	recorder->old[n] = '\0';
	recorder->old[strcspn(recorder->old, "\n")] = '\0';
	return 0;
}

static int find_tracing(struct recorder *recorder, const char *sysroot)
{
	char path[4096];

	snprintf(path, sizeof(path), "%s" TRACING "/instances", sysroot);
	if (access(path, W_OK)) {
		log_err("%s: %s: tracefs is needed, as in 'mount -t tracefs none " TRACING "'", path,
			strerror(errno));
		return -errno;
	}
	if (asprintf(&recorder->instance, "%s/erofs-od-%ld", path, (long)getpid()) < 0) {
		recorder->instance = NULL;
		return -ENOMEM;
	}
	return 0;
}

static int start_events(struct recorder *recorder)
{
	char path[4096];
	int err = 0;

	/* A killed process may have left one of this name. */
	if (mkdir(recorder->instance, 0700) && errno != EEXIST)
		err = -errno;
	if (!err)
		err = write_file(recorder->instance, "buffer_size_kb", BUFFER_KIB);
	if (!err)
		err = write_file(recorder->instance, ENABLE, "1");
	if (!err) {
		snprintf(path, sizeof(path), "%s/trace_pipe", recorder->instance);
		recorder->pipe = open(path, O_RDONLY | O_NONBLOCK | O_CLOEXEC);
		if (recorder->pipe < 0)
			err = -errno;
	}
	if (err)
		log_err("%s: failed to trace " EVENT ": %s", recorder->instance, strerror(-err));
	return err;
}

/**
 * recorder_begin - start recording
 * @recorder: what to record; the rest is set
 * @sysroot: directory that represents /; "" for / itself
 *
 * Return: 0 or a negative errno, which was logged; call recorder_end() in any case
 */
int recorder_begin(struct recorder *recorder, const char *sysroot)
{
	int err;

	recorder->pipe = -1;
	recorder->guard = -1;
	err = open_window(recorder, sysroot);
	if (!err)
		err = find_tracing(recorder, sysroot);
	if (err)
		return err;
	err = start_restorer(recorder);
	if (err)
		log_err("failed to start a process: %s", strerror(-err));
	if (!err)
		err = start_events(recorder);
	if (err)
		return err;
	err = write_text(recorder->window, TRACE_WINDOW_KIB);
	if (err)
		log_err("window_kib=" TRACE_WINDOW_KIB ": %s", strerror(-err));
	return err;
}

/* --- events --- */

static char *find_last(char *text, const char *what)
{
	char *at, *last = NULL;

	for (at = text; (at = strstr(at, what)) != NULL; at++)
		last = at;
	return last;
}

static void take_line(struct recorder *recorder, char *line)
{
	char *at = strstr(line, EVENT ": cache="), *end, want[RECORDER_NAME_MAX + 20];
	uint64_t start, len;

	if (strstr(line, "[LOST ") && !at)
		recorder->lost = true;
	if (!at)
		return;
	at += strcspn(at, " ") + 1;
	at += strcspn(at, " ");
	snprintf(want, sizeof(want), " volume=%.*s blob=", RECORDER_NAME_MAX, recorder->volume);
	end = find_last(at, " msg_id=");
	if (strncmp(at, want, strlen(want)) || !end ||
	    sscanf(end, " msg_id=%*u start=%" SCNu64 " len=%" SCNu64, &start, &len) != 2)
		return;
	*end = '\0';
	recorder->read(recorder->arg, at + strlen(want), start, len);
}

static void take_lines(struct recorder *recorder)
{
	char *line = recorder->text, *end;

	recorder->text[recorder->used] = '\0';
	while ((end = strchr(line, '\n')) != NULL) {
		*end = '\0';
		take_line(recorder, line);
		line = end + 1;
	}
	recorder->used = strlen(line);
	memmove(recorder->text, line, recorder->used);
	/* No event is this long. */
	if (recorder->used == sizeof(recorder->text) - 1)
		recorder->used = 0;
}

/**
 * recorder_drain - read what was recorded so far. Return: 0 or a negative errno, which was
 * logged
 */
int recorder_drain(struct recorder *recorder)
{
	ssize_t n;

	for (;;) {
		n = read(recorder->pipe, recorder->text + recorder->used,
			 sizeof(recorder->text) - 1 - recorder->used);
		if (n < 0 && errno == EINTR)
			continue;
		if (n <= 0)
			break;
		recorder->used += (size_t)n;
		take_lines(recorder);
	}
	if (!n || errno == EAGAIN)
		return 0;
	log_err("%s/trace_pipe: %s", recorder->instance, strerror(errno));
	return -errno;
}

/** recorder_end - stop recording and restore the settings */
void recorder_end(struct recorder *recorder)
{
	if (recorder->pipe >= 0)
		close(recorder->pipe);
	if (recorder->guard >= 0)
		close(recorder->guard);
	if (recorder->restorer)
		waitpid(recorder->restorer, NULL, 0);
	if (recorder->window >= 0)
		close(recorder->window);
	free(recorder->instance);
}
