// SPDX-License-Identifier: GPL-2.0-only
#include "serve.h"

#include <errno.h>
#include <inttypes.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <sys/signalfd.h>
#include <sys/timerfd.h>
#include <unistd.h>

#include <linux/cachefiles_od.h>

#include "cull.h"
#include "device.h"
#include "log.h"
#include "message.h"
#include "name.h"
#include "notify.h"
#include "range.h"
#include "stats.h"
#include "work.h"

/* Time for requests in flight to finish after SIGTERM. */
#define STOP_GRACE_MS	1000
/* After this many device errors in a row, reading pauses for this long. */
#define FAULTS_MAX	64
#define FALTER_MS	100

/**
 * struct server - state of the main loop
 * @options: its options
 * @work: blobs, workers and what they share
 * @culler: culls
 * @epoll: polls all of the following and the device
 * @signals: signalfd
 * @timer: timerfd, once a second
 * @again: timerfd, to resume reading the device
 * @paused: enough requests are queued; leave the others in the kernel
 * @stats_failed: writing the stats file failed, which was logged
 */
struct server {
	const struct serve_options *options;
	struct work work;
	struct culler culler;
	int epoll;
	int signals;
	int timer;
	int again;
	bool paused;
	bool stats_failed;
};

/* Takes over the caller's reference to @blob, except on failure. */
static int submit(struct server *server, struct blob *blob, const struct message *msg)
{
	struct job *job = job_new(blob, msg->msg_id);

	if (!job)
		return -ENOMEM;
	job->is_open = msg->opcode == CACHEFILES_OD_OP_OPEN;
	job->off = msg->off;
	if (!job->is_open)
		job->end = msg->off + range_clamp(msg->off, msg->len, blob->version.size);
	work_submit(&server->work, job);
	return 0;
}

static void handle_open(struct server *server, const struct message *msg)
{
	char name[BLOB_NAME_MAX + 1];
	struct blob *blob;
	int err;

	stats.opens++;
	err = blob_name_check(msg->cookie, msg->cookie_len, name);
	if (err) {
		log_warn("OPEN %" PRIu32 ": invalid blob name: %zu bytes, the first one is 0x%02x", msg->msg_id, msg->cookie_len, msg->cookie[0]);
		goto refuse;
	}
	blob = blobs_add(&server->work.blobs, server->options->dev, msg->object_id, msg->fd,
			 msg->volume, name);
	if (!blob) {
		err = -errno;
		log_err("OPEN %" PRIu32 " of object %" PRIu32 ": %s", msg->msg_id, msg->object_id,
			strerror(-err));
		goto refuse;
	}
	err = submit(server, blob, msg);
	if (err) {
		work_refuse_open(&server->work, msg->msg_id, err);
		blobs_drop(&server->work.blobs, msg->object_id);
		blob_put(blob);
	}
	return;
refuse:
	work_refuse_open(&server->work, msg->msg_id, err);
	device_close_blob(server->options->dev, msg->fd);
}

static void handle_read(struct server *server, const struct message *msg)
{
	struct blob *blob = blobs_get(&server->work.blobs, msg->object_id);

	stats.reads++;
	if (!blob) {
		/* Not always an error: the reply to its OPEN may just have failed. */
		log_warn("READ %" PRIu32 " is for object %" PRIu32 ", which is not open",
			 msg->msg_id, msg->object_id);
		stats.read_errors++;
		return;
	}
	if (!atomic_load(&blob->open))
		log_err("READ %" PRIu32 " is for blob %s, whose OPEN has no reply yet",
			msg->msg_id, blob->shown);
	else if (msg->off >= blob->version.size)
		log_err("READ %" PRIu32 " of blob %s, %" PRIu64 " bytes at %" PRIu64
			": the blob ends at %" PRIu64, msg->msg_id, blob->shown, msg->len,
			msg->off, blob->version.size);
	else if (submit(server, blob, msg))
		log_err("READ %" PRIu32 " of blob %s: out of memory", msg->msg_id, blob->shown);
	else
		return;
	stats.read_errors++;
	work_complete_read(blob, msg->msg_id);
	blob_put(blob);
}

/* A bad message still gets a reply, so that no task waits for it. */
static void handle_bad(struct server *server, const struct message *msg, size_t size)
{
	struct blob *blob;

	stats.bad_messages++;
	log_err("message %" PRIu32 " rejected: opcode %" PRIu32 ", %zu bytes", msg->msg_id,
		msg->opcode, size);
	if (msg->opcode == CACHEFILES_OD_OP_OPEN && msg->fd >= 0) {
		work_refuse_open(&server->work, msg->msg_id, -EINVAL);
		device_close_blob(server->options->dev, msg->fd);
	}
	if (msg->opcode != CACHEFILES_OD_OP_READ)
		return;
	blob = blobs_get(&server->work.blobs, msg->object_id);
	if (!blob)
		return;
	work_complete_read(blob, msg->msg_id);
	blob_put(blob);
}

static void handle(struct server *server, const void *buf, size_t size)
{
	struct message msg;

	if (message_parse(buf, size, &msg)) {
		handle_bad(server, &msg, size);
		return;
	}
	switch (msg.opcode) {
	case CACHEFILES_OD_OP_OPEN:
		handle_open(server, &msg);
		break;
	case CACHEFILES_OD_OP_READ:
		handle_read(server, &msg);
		break;
	case CACHEFILES_OD_OP_CLOSE:
		stats.closes++;
		if (blobs_drop(&server->work.blobs, msg.object_id))
			log_debug("CLOSE of object %" PRIu32 ", which is not open", msg.object_id);
		else
			pools_closed(&server->work.pools);
		break;
	}
}

static bool is_passing(ssize_t err)
{
	return err == -EMFILE || err == -ENFILE || err == -ENOMEM;
}

/*
 * An OPEN could not be delivered, and the kernel has failed it with this errno. After many in a
 * row the daemon pauses, since it would do nothing else.
 */
static int device_faltered(struct server *server, int err, unsigned int faults)
{
	struct itimerspec soon = { .it_value.tv_nsec = FALTER_MS * 1000000L };

	stats.device_faults++;
	if (faults == 1)
		log_warn("failed to read from the device: %s; continuing", strerror(-err));
	if (faults < FAULTS_MAX)
		return 0;
	return timerfd_settime(server->again, 0, &soon, NULL) ? -errno : 0;
}

static int receive(struct server *server, char *buf, size_t size, unsigned int *faults)
{
	ssize_t n = device_receive(server->options->dev, buf, size);

	if (is_passing(n)) {
		++*faults;
		return device_faltered(server, (int)n, *faults);
	}
	if (n < 0) {
		log_err("failed to read from the device: %s", strerror((int)-n));
		return (int)n;
	}
	if (n)
		handle(server, buf, (size_t)n);
	return n ? 0 : 1;
}

/*
 * Reads until nothing is left: the device is polled edge-triggered, since some kernels report
 * POLLIN as long as any request has no reply.
 */
static int drain_device(struct server *server)
{
	char buf[CACHEFILES_OD_MSG_MAX] __attribute__((aligned(8)));
	unsigned int faults = 0;
	int done = 0;

	while (!done && !server->paused && faults < FAULTS_MAX) {
		done = receive(server, buf, sizeof(buf), &faults);
		server->paused = pools_full(&server->work.pools);
	}
	return done < 0 ? done : 0;
}

static void write_stats(struct server *server)
{
	const char *path = server->options->stats_path;
	int err = path ? stats_write(path) : 0;

	if (err && !server->stats_failed)
		log_warn("writing %s: %s", path, strerror(-err));
	server->stats_failed = err != 0;
}

static void log_counters(void)
{
	log_info("%lld blobs open, %lld requests in flight, %lld queued; %llu opens, %llu reads, "
		 "%llu bytes fetched, %llu retries, %llu errors", stats.open_blobs,
		 stats.in_flight, stats.queued, stats.opens, stats.reads, stats.bytes_fetched,
		 stats.retries, stats.open_errors + stats.read_errors);
}

/* Returns true if the daemon has to exit. */
static bool handle_signal(struct server *server)
{
	struct signalfd_siginfo info;

	if (read(server->signals, &info, sizeof(info)) != (ssize_t)sizeof(info))
		return false;
	if (info.ssi_signo == SIGUSR1) {
		log_counters();
		return false;
	}
	log_info("%s: ending", strsignal((int)info.ssi_signo));
	return true;
}

static int handle_event(struct server *server, const struct epoll_event *event, bool *end)
{
	int fd = event->data.fd;
	uint64_t count;
	int err;

	if (fd == server->signals) {
		*end = handle_signal(server);
		return 0;
	}
	if (fd == server->timer) {
		if (read(fd, &count, sizeof(count)) == (ssize_t)sizeof(count)) {
			notify_alive();
			write_stats(server);
		}
		return 0;
	}
	if (fd == server->work.pools.room_fd) {
		eventfd_read(fd, &count);
		server->paused = false;
		return drain_device(server);
	}
	if (fd == server->again)
		return read(fd, &count, sizeof(count)) > 0 ? drain_device(server) : 0;
	if (event->events & EPOLLOUT)
		culler_wake(&server->culler);
	err = drain_device(server);
	if (!err && (event->events & (EPOLLERR | EPOLLHUP))) {
		log_err("the device was shut down");
		return -ENODEV;
	}
	return err;
}

static int watch(struct server *server, int fd, uint32_t events)
{
	struct epoll_event event = { .events = events, .data.fd = fd };

	return epoll_ctl(server->epoll, EPOLL_CTL_ADD, fd, &event) ? -errno : 0;
}

static void wanted_signals(sigset_t *set)
{
	sigemptyset(set);
	sigaddset(set, SIGTERM);
	sigaddset(set, SIGINT);
	sigaddset(set, SIGUSR1);
}

/** serve_block_signals - block signals before creating threads: only the main loop handles them */
void serve_block_signals(void)
{
	sigset_t set;

	wanted_signals(&set);
	sigprocmask(SIG_BLOCK, &set, NULL);
	signal(SIGPIPE, SIG_IGN);
}

/* Fires every second for the counters, and three times per watchdog period. */
static int start_timer(struct server *server)
{
	unsigned int watchdog_ms = notify_watchdog_ms(), ms = 1000;
	struct itimerspec tick = { .it_value.tv_nsec = 1 };

	if (!server->options->stats_path && !watchdog_ms)
		return 0;
	if (watchdog_ms && watchdog_ms / 3 < ms)
		ms = watchdog_ms / 3 + 1;
	tick.it_interval.tv_sec = ms / 1000;
	tick.it_interval.tv_nsec = ms % 1000 * 1000000L;
	return timerfd_settime(server->timer, 0, &tick, NULL) ? -errno : 0;
}

static int open_events(struct server *server)
{
	sigset_t set;
	int err;

	wanted_signals(&set);
	server->epoll = epoll_create1(EPOLL_CLOEXEC);
	server->signals = signalfd(-1, &set, SFD_CLOEXEC | SFD_NONBLOCK);
	server->timer = timerfd_create(CLOCK_MONOTONIC, TFD_CLOEXEC | TFD_NONBLOCK);
	server->again = timerfd_create(CLOCK_MONOTONIC, TFD_CLOEXEC | TFD_NONBLOCK);
	if (server->epoll < 0 || server->signals < 0 || server->timer < 0 || server->again < 0)
		return -errno;
	err = start_timer(server);
	if (!err)
		err = watch(server, server->signals, EPOLLIN);
	if (!err)
		err = watch(server, server->timer, EPOLLIN);
	if (!err)
		err = watch(server, server->again, EPOLLIN);
	if (!err)
		err = watch(server, server->work.pools.room_fd, EPOLLIN);
	if (!err)
		err = watch(server, server->options->dev, EPOLLIN | EPOLLOUT | EPOLLET);
	return err;
}

static void close_events(struct server *server)
{
	if (server->epoll >= 0)
		close(server->epoll);
	if (server->signals >= 0)
		close(server->signals);
	if (server->timer >= 0)
		close(server->timer);
	if (server->again >= 0)
		close(server->again);
}

static int loop(struct server *server)
{
	struct epoll_event events[4];
	bool end = false;
	int i, n, err;

	/* Messages that arrived before the device was polled cause no edge. */
	err = drain_device(server);
	while (!err && !end) {
		n = epoll_wait(server->epoll, events, 4, -1);
		if (n < 0 && errno != EINTR)
			return -errno;
		for (i = 0; i < n && !err && !end; i++)
			err = handle_event(server, &events[i], &end);
	}
	return err;
}

static void finish(struct server *server)
{
	unsigned int unfinished;

	notify_stopping();
	culler_stop(&server->culler);
	prefetch_stop(&server->work.prefetch);
	unfinished = pools_stop(&server->work.pools, STOP_GRACE_MS);
	if (unfinished)
		log_info("%u requests left without a reply", unfinished);
	blobs_drop_all(&server->work.blobs);
	wanted_exit(&server->work.wanted);
	cache_dirs_close(&server->work.dirs);
	write_stats(server);
	log_counters();
}

/* Without records, only the sources know the versions of blobs. */
static void find_records(struct work *work, const char *dir)
{
	int err = dir ? cache_dirs_open(&work->dirs, dir) : -ENOENT;

	if (!err)
		return;
	work->dirs.cache = -1;
	work->dirs.maps = -1;
	log_debug("%s: failed to open the maps of the cache: %s", dir ? dir : "no directory",
		  strerror(-err));
}

/**
 * serve - reply to the kernel until a signal ends it
 * @options: the options
 *
 * Return: 0 after SIGTERM or SIGINT, else a negative errno; the reason was logged
 */
int serve(struct serve_options *options)
{
	struct server server = {
		.options = options,
		.work = {
			.dev = options->dev,
			.wide = options->wide,
			.blobs.lock = PTHREAD_MUTEX_INITIALIZER,
			.refused.lock = PTHREAD_MUTEX_INITIALIZER,
			.pools.run = work_run,
			.pools.options = &options->fetch,
			.pools.threads = options->threads,
			.pools.queue_max = options->queue_max,
		},
		.epoll = -1,
		.signals = -1,
		.timer = -1,
		.again = -1,
	};
	int err;

	server.work.pools.arg = &server.work;
	server.work.culler = &server.culler;
	wanted_init(&server.work.wanted, options->proc);
	prefetch_init(&server.work.prefetch, &server.work, options->no_prefetch);
	find_records(&server.work, options->dir);
	err = pools_start(&server.work.pools, options->sources);
	if (!err)
		err = culler_start(&server.culler, &options->cull, options->dev);
	if (!err)
		err = metrics_start(&options->metrics, options->proc, options->dev);
	if (!err)
		err = open_events(&server);
	if (err) {
		log_err("starting: %s", strerror(-err));
	} else {
		notify_ready();
		err = loop(&server);
	}
	metrics_stop(&options->metrics);
	finish(&server);
	close_events(&server);
	return err;
}
