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

#include "blob.h"
#include "cull.h"
#include "device.h"
#include "log.h"
#include "message.h"
#include "name.h"
#include "notify.h"
#include "pool.h"
#include "range.h"
#include "stats.h"
#include "told.h"

/* Requests under way have so long to finish after SIGTERM. */
#define STOP_GRACE_MS	1000

/**
 * struct server - the daemon at work
 * @options: what it was told
 * @blobs: open blobs
 * @pool: workers
 * @culler: makes room
 * @epoll: waits for all of the following and for the device
 * @signals: signalfd
 * @timer: timerfd, once a second
 * @paused: enough requests are queued, leave the others in the kernel
 * @stats_failed: the stats file could not be written, and that was logged
 * @refused: versions of blobs that the kernel refused, and that was logged
 */
struct server {
	const struct serve_options *options;
	struct blobs blobs;
	struct pool pool;
	struct culler culler;
	int epoll;
	int signals;
	int timer;
	bool paused;
	bool stats_failed;
	struct told refused;
};

static int answer_open(struct server *server, uint32_t msg_id, int64_t size_or_errno,
		       const char *validator)
{
	char command[64 + VALIDATOR_MAX];

	if (!server->options->wide)
		validator = "";
	snprintf(command, sizeof(command), "copen %" PRIu32 ",%" PRId64 "%s%s", msg_id,
		 size_or_errno, *validator ? "," : "", validator);
	return device_command(server->options->dev, command);
}

static void refuse_open(struct server *server, uint32_t msg_id, int err)
{
	int sent = answer_open(server, msg_id, err, "");

	stats.open_errors++;
	if (sent)
		log_warn("the kernel did not take the answer to OPEN %" PRIu32 ": %s", msg_id,
			 strerror(-sent));
}

/* A changed blob that is read is opened again for each READ: one line is enough. */
static void copen_refused(struct server *server, struct blob *blob, int err)
{
	stats.open_errors++;
	if (err != -ESTALE)
		log_warn("the kernel did not take the answer to the OPEN of blob %s: %s",
			 blob->shown, strerror(-err));
	else if (!told_before(&server->refused, blob->name, blob->file.validator))
		log_err("blob %s: changed at the source while it is in use: what is missing cannot "
			"be read until it is unmounted: %s", blob->shown, strerror(-err));
	blobs_drop(&server->blobs, blob->object_id);
}

static void run_open(struct server *server, struct job *job, struct fetcher *fetcher)
{
	struct blob *blob = job->blob;
	int err = source_lookup(server->options->sources, fetcher, blob->name, &blob->file);

	/* Nobody waits for it any more, or the next daemon is going to answer it. */
	if (err == -ECANCELED)
		return;
	if (err) {
		log_warn("blob %s cannot be opened: %s (%s)", blob->shown, fetcher->why,
			 strerror(-err));
		refuse_open(server, job->msg_id, err);
		blobs_drop(&server->blobs, blob->object_id);
		return;
	}
	/* READs may come as soon as the answer is out. */
	atomic_store(&blob->open, true);
	err = answer_open(server, job->msg_id, (int64_t)blob->file.size, blob->file.validator);
	if (err) {
		copen_refused(server, blob, err);
		return;
	}
	log_debug("blob %s is open: %" PRIu64 " bytes, from %s", blob->shown, blob->file.size,
		  blob->file.source->shown);
}

static int fill_range(struct job *job, struct fetcher *fetcher, char *piece)
{
	struct blob *blob = job->blob;
	uint64_t len = range_clamp(job->off, job->len, blob->file.size);
	struct fill fill = {
		.dev = blob->dev,
		.fd = blob->fd,
		.off = job->off,
		.end = job->off + len,
		.buf = piece,
	};

	if (fetcher_canceled(fetcher))
		return fetcher_fail(fetcher, -ECANCELED, "given up");
	/* Also if it should be as it was again: what lies between is not known. */
	if (atomic_load(&blob->changed))
		return fetcher_fail(fetcher, -ESTALE, "changed at the source");
	if (!len)
		return fetcher_fail(fetcher, -EINVAL, "the blob ends at %" PRIu64,
				    blob->file.size);
	return blob->file.source->ops->fetch(&blob->file, fetcher, &fill);
}

static void complete_read(struct blob *blob, uint32_t msg_id)
{
	int err = device_complete(blob->dev, blob->fd, msg_id);

	/* A reader that was killed meanwhile leaves nothing to complete. */
	if (err)
		log_debug("the kernel did not take the answer to READ %" PRIu32 " of blob %s: %s",
			  msg_id, blob->shown, strerror(-err));
}

/* One line for a blob that changed, one for each READ that fails otherwise. */
static void read_failed(struct job *job, struct fetcher *fetcher, int err)
{
	struct blob *blob = job->blob;

	stats.read_errors++;
	if (err != -ESTALE)
		log_err("blob %s, %" PRIu64 " bytes at %" PRIu64 ": %s (%s)", blob->shown,
			job->len, job->off, fetcher->why, strerror(-err));
	else if (!atomic_exchange(&blob->changed, true))
		log_err("blob %s: nothing more is filled until it is opened again: %s (%s)",
			blob->shown, fetcher->why, strerror(-err));
}

static void run_read(struct job *job, struct fetcher *fetcher, char *piece)
{
	struct blob *blob = job->blob;
	int err = fill_range(job, fetcher, piece);

	/*
	 * A READ that is given up stays unanswered: if somebody keeps the
	 * device open, the next daemon gets it again, and else the kernel
	 * fails it anyway.
	 */
	if (err == -ECANCELED)
		return;
	if (err)
		read_failed(job, fetcher, err);
	/* Also what failed is answered: the hole tells the kernel to fail the reader. */
	complete_read(blob, job->msg_id);
}

static void run_job(void *arg, struct job *job, struct fetcher *fetcher, char *piece)
{
	if (job->is_open)
		run_open(arg, job, fetcher);
	else
		run_read(job, fetcher, piece);
}

/* Takes over the caller's reference of @blob, unless it fails. */
static int submit(struct server *server, struct blob *blob, const struct message *msg)
{
	struct job *job = calloc(1, sizeof(*job));

	if (!job)
		return -ENOMEM;
	job->blob = blob;
	job->msg_id = msg->msg_id;
	job->is_open = msg->opcode == CACHEFILES_OD_OP_OPEN;
	job->off = msg->off;
	job->len = msg->len;
	pool_submit(&server->pool, job);
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
		log_warn("OPEN %" PRIu32 ": refused, not a name for a blob: %zu bytes, the first "
			 "is 0x%02x", msg->msg_id, msg->cookie_len, msg->cookie[0]);
		goto refuse;
	}
	blob = blobs_add(&server->blobs, server->options->dev, msg->object_id, msg->fd, name);
	if (!blob) {
		err = -errno;
		log_err("OPEN %" PRIu32 " of object %" PRIu32 ": %s", msg->msg_id, msg->object_id,
			strerror(-err));
		goto refuse;
	}
	err = submit(server, blob, msg);
	if (err) {
		refuse_open(server, msg->msg_id, err);
		blobs_drop(&server->blobs, msg->object_id);
		blob_put(blob);
	}
	return;
refuse:
	refuse_open(server, msg->msg_id, err);
	device_close_blob(server->options->dev, msg->fd);
}

static void handle_read(struct server *server, const struct message *msg)
{
	struct blob *blob = blobs_get(&server->blobs, msg->object_id);

	stats.reads++;
	if (!blob) {
		/* Not always an error: the answer to its OPEN may just have failed. */
		log_warn("READ %" PRIu32 " is for object %" PRIu32 ", which is not open",
			 msg->msg_id, msg->object_id);
		stats.read_errors++;
		return;
	}
	if (!atomic_load(&blob->open))
		log_err("READ %" PRIu32 " is for blob %s, whose OPEN is not answered yet",
			msg->msg_id, blob->shown);
	else if (submit(server, blob, msg))
		log_err("READ %" PRIu32 " of blob %s: out of memory", msg->msg_id, blob->shown);
	else
		return;
	stats.read_errors++;
	complete_read(blob, msg->msg_id);
	blob_put(blob);
}

/* What cannot be understood is still answered, so that nobody waits for it. */
static void handle_bad(struct server *server, const struct message *msg, size_t size)
{
	struct blob *blob;

	stats.bad_messages++;
	log_err("message %" PRIu32 " makes no sense: opcode %" PRIu32 ", %zu bytes", msg->msg_id,
		msg->opcode, size);
	if (msg->opcode == CACHEFILES_OD_OP_OPEN && msg->fd >= 0) {
		refuse_open(server, msg->msg_id, -EINVAL);
		device_close_blob(server->options->dev, msg->fd);
	}
	if (msg->opcode != CACHEFILES_OD_OP_READ)
		return;
	blob = blobs_get(&server->blobs, msg->object_id);
	if (!blob)
		return;
	complete_read(blob, msg->msg_id);
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
		if (blobs_drop(&server->blobs, msg.object_id))
			log_debug("CLOSE of object %" PRIu32 ", which is not open", msg.object_id);
		break;
	}
}

/*
 * Reads until there is nothing left: the device is polled edge-triggered, since
 * some kernels show POLLIN as long as any request is unanswered.
 */
static int drain_device(struct server *server)
{
	char buf[CACHEFILES_OD_MSG_MAX] __attribute__((aligned(8)));
	ssize_t n;

	while (!server->paused) {
		n = device_receive(server->options->dev, buf, sizeof(buf));
		if (n < 0) {
			log_err("reading from the device: %s", strerror((int)-n));
			return (int)n;
		}
		if (!n)
			return 0;
		handle(server, buf, (size_t)n);
		server->paused = pool_full(&server->pool);
	}
	return 0;
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

/* Returns true when the daemon is to end. */
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
		if (read(fd, &count, sizeof(count)) == (ssize_t)sizeof(count))
			write_stats(server);
		return 0;
	}
	if (fd == server->pool.room_fd) {
		eventfd_read(fd, &count);
		server->paused = false;
		return drain_device(server);
	}
	if (event->events & EPOLLOUT)
		culler_wake(&server->culler);
	err = drain_device(server);
	if (!err && (event->events & (EPOLLERR | EPOLLHUP))) {
		log_err("the device is gone");
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

/** serve_block_signals - before there are threads: signals are for the main loop alone */
void serve_block_signals(void)
{
	sigset_t set;

	wanted_signals(&set);
	sigprocmask(SIG_BLOCK, &set, NULL);
	signal(SIGPIPE, SIG_IGN);
}

static int open_events(struct server *server)
{
	struct itimerspec second = { .it_interval.tv_sec = 1, .it_value.tv_nsec = 1 };
	sigset_t set;
	int err;

	wanted_signals(&set);
	server->epoll = epoll_create1(EPOLL_CLOEXEC);
	server->signals = signalfd(-1, &set, SFD_CLOEXEC | SFD_NONBLOCK);
	server->timer = timerfd_create(CLOCK_MONOTONIC, TFD_CLOEXEC | TFD_NONBLOCK);
	if (server->epoll < 0 || server->signals < 0 || server->timer < 0)
		return -errno;
	if (server->options->stats_path && timerfd_settime(server->timer, 0, &second, NULL))
		return -errno;
	err = watch(server, server->signals, EPOLLIN);
	if (!err)
		err = watch(server, server->timer, EPOLLIN);
	if (!err)
		err = watch(server, server->pool.room_fd, EPOLLIN);
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
}

static int loop(struct server *server)
{
	struct epoll_event events[4];
	bool end = false;
	int i, n, err;

	/* What came before the device was watched made no edge. */
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
	unfinished = pool_stop(&server->pool, STOP_GRACE_MS);
	if (unfinished)
		log_info("%u requests were left unanswered", unfinished);
	blobs_drop_all(&server->blobs);
	write_stats(server);
	log_counters();
}

/**
 * serve - answer the kernel until a signal ends it
 * @options: how
 *
 * Return: 0 after SIGTERM or SIGINT, else a negative errno; the reason was logged
 */
int serve(const struct serve_options *options)
{
	struct server server = {
		.options = options,
		.blobs.lock = PTHREAD_MUTEX_INITIALIZER,
		.refused.lock = PTHREAD_MUTEX_INITIALIZER,
		.pool.run = run_job,
		.pool.options = &options->fetch,
		.epoll = -1,
		.signals = -1,
		.timer = -1,
	};
	int err;

	server.pool.arg = &server;
	err = pool_start(&server.pool, options->threads);
	if (!err)
		err = culler_start(&server.culler, &options->cull, options->dev);
	if (!err)
		err = open_events(&server);
	if (err) {
		log_err("starting: %s", strerror(-err));
	} else {
		notify_ready();
		err = loop(&server);
	}
	finish(&server);
	close_events(&server);
	return err;
}
