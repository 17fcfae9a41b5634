// SPDX-License-Identifier: GPL-2.0-only
#include "metrics.h"

#include <arpa/inet.h>
#include <errno.h>
#include <netinet/in.h>
#include <poll.h>
#include <stdlib.h>
#include <string.h>
#include <sys/eventfd.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#include "log.h"
#include "range.h"
#include "stats.h"

/* Time limit for a client's request, and for taking the reply. */
#define CLIENT_MS	3000
#define REQUEST_MAX	4096

static int listen_at(int family, const struct sockaddr *address, socklen_t len)
{
	int fd = socket(family, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0), on = 1, err;

	if (fd < 0)
		return -errno;
	if (family != AF_UNIX)
		setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &on, sizeof(on));
	if (bind(fd, address, len) || listen(fd, 16)) {
		err = -errno;
		close(fd);
		return err;
	}
	return fd;
}

/* A socket left by an earlier daemon is replaced; anything else is kept. */
static int listen_on_path(const char *path)
{
	struct sockaddr_un address = { .sun_family = AF_UNIX };
	struct stat st;
	mode_t mask;
	int fd;

	if (strlen(path) >= sizeof(address.sun_path))
		return -ENAMETOOLONG;
	strcpy(address.sun_path, path);
	if (!lstat(path, &st) && S_ISSOCK(st.st_mode))
		unlink(path);
	mask = umask(0177);
	fd = listen_at(AF_UNIX, (struct sockaddr *)&address, sizeof(address));
	umask(mask);
	return fd;
}

static int listen_on_port(const char *text, bool v6)
{
	struct sockaddr_in6 six = { .sin6_family = AF_INET6, .sin6_addr = IN6ADDR_LOOPBACK_INIT };
	struct sockaddr_in four = { .sin_family = AF_INET };
	uint64_t port;

	if (number_parse(&text, &port) || *text || port > 65535)
		return -EINVAL;
	four.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
	four.sin_port = six.sin6_port = htons((uint16_t)port);
	return v6 ? listen_at(AF_INET6, (struct sockaddr *)&six, sizeof(six)) :
		    listen_at(AF_INET, (struct sockaddr *)&four, sizeof(four));
}

static const char *after(const char *text, const char *prefix)
{
	size_t len = strlen(prefix);

	return strncmp(text, prefix, len) ? NULL : text + len;
}

/**
 * metrics_listen - listen on one more address
 * @metrics: the server
 * @address: absolute path of a socket, or a port of the loopback: 9100, 127.0.0.1:9100,
 *	[::1]:9100
 *
 * Return: 0 or a negative errno, -EINVAL for any other address
 */
int metrics_listen(struct metrics *metrics, const char *address)
{
	const char *port;
	int fd;

	if (metrics->count == METRICS_MAX)
		return -E2BIG;
	if (*address == '/')
		fd = listen_on_path(address);
	else if ((port = after(address, "[::1]:")) != NULL)
		fd = listen_on_port(port, true);
	else if ((port = after(address, "127.0.0.1:")) != NULL)
		fd = listen_on_port(port, false);
	else
		fd = listen_on_port(address, false);
	if (fd < 0)
		return fd;
	metrics->fds[metrics->count] = fd;
	metrics->paths[metrics->count++] = *address == '/' ? address : NULL;
	return 0;
}

/* --- a client --- */

/* Waits until @deadline_ms; false if that has passed, or the daemon exits. */
static bool wait_for(const struct metrics *metrics, int fd, short events, uint64_t deadline_ms)
{
	struct pollfd fds[2] = {
		{ .fd = fd, .events = events },
		{ .fd = metrics->stop, .events = POLLIN },
	};
	uint64_t now = clock_ms();

	return now < deadline_ms && poll(fds, 2, (int)(deadline_ms - now)) > 0 && !fds[1].revents;
}

/* Reads the head of a request, up to an empty line; false if it is late. */
static bool read_request(const struct metrics *metrics, int fd, char *request)
{
	uint64_t deadline_ms = clock_ms() + CLIENT_MS;
	size_t len = 0;
	ssize_t n;

	while (len < REQUEST_MAX && wait_for(metrics, fd, POLLIN, deadline_ms)) {
		n = recv(fd, request + len, REQUEST_MAX - len, 0);
		if (n <= 0)
			return false;
		len += (size_t)n;
		request[len] = '\0';
		if (strstr(request, "\r\n\r\n") || strstr(request, "\n\n"))
			return true;
	}
	return false;
}

static void send_all(const struct metrics *metrics, int fd, const char *text, size_t len)
{
	uint64_t deadline_ms = clock_ms() + CLIENT_MS;
	ssize_t n;

	while (len && wait_for(metrics, fd, POLLOUT, deadline_ms)) {
		n = send(fd, text, len, MSG_NOSIGNAL);
		if (n < 0 && errno != EAGAIN)
			return;
		if (n < 0)
			continue;
		text += n;
		len -= (size_t)n;
	}
}

static void reply(const struct metrics *metrics, int fd, const char *request)
{
	bool good = after(request, "GET /metrics ") || after(request, "GET /metrics?");
	char *text = NULL, *body = NULL;
	size_t len = 0, body_len = 0;
	FILE *out = open_memstream(&body, &body_len);

	if (!out)
		return;
	if (good)
		metrics_print(metrics->proc, metrics->dev, out);
	else
		fputs("GET /metrics\n", out);
	fclose(out);
	out = open_memstream(&text, &len);
	if (out) {
		fprintf(out, "HTTP/1.0 %s\r\nContent-Type: text/plain; version=0.0.4; charset=utf-8\r\n"
			"Content-Length: %zu\r\nConnection: close\r\n\r\n",
			good ? "200 OK" : "404 Not Found", body_len);
		fwrite(body, 1, body_len, out);
		fclose(out);
		send_all(metrics, fd, text, len);
	}
	free(text);
	free(body);
}

static void serve_client(const struct metrics *metrics, int listener)
{
	int fd = accept4(listener, NULL, NULL, SOCK_CLOEXEC | SOCK_NONBLOCK);
	char request[REQUEST_MAX + 1];

	if (fd < 0) {
		/* Out of descriptors or memory: do not retry at once. */
		if (errno == EMFILE || errno == ENFILE || errno == ENOMEM)
			usleep(100000);
		return;
	}
	if (read_request(metrics, fd, request))
		reply(metrics, fd, request);
	close(fd);
}

static void *metrics_thread(void *arg)
{
	struct metrics *metrics = arg;
	struct pollfd fds[METRICS_MAX + 1];
	size_t i;

	for (i = 0; i < metrics->count; i++)
		fds[i] = (struct pollfd) { .fd = metrics->fds[i], .events = POLLIN };
	fds[i] = (struct pollfd) { .fd = metrics->stop, .events = POLLIN };
	for (;;) {
		if (poll(fds, metrics->count + 1, -1) < 0 && errno != EINTR)
			return NULL;
		if (fds[metrics->count].revents)
			return NULL;
		for (i = 0; i < metrics->count; i++)
			if (fds[i].revents)
				serve_client(metrics, fds[i].fd);
	}
}

/** metrics_start - serve clients if there are addresses. Return: 0 or a negative errno */
int metrics_start(struct metrics *metrics, const char *proc, int dev)
{
	int err;

	if (!metrics->count)
		return 0;
	metrics->proc = proc;
	metrics->dev = dev;
	metrics->stop = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
	if (metrics->stop < 0)
		return -errno;
	err = pthread_create(&metrics->thread, NULL, metrics_thread, metrics);
	metrics->running = !err;
	return -err;
}

/** metrics_stop - undo metrics_start() and metrics_listen() */
void metrics_stop(struct metrics *metrics)
{
	if (metrics->running) {
		eventfd_write(metrics->stop, 1);
		pthread_join(metrics->thread, NULL);
		metrics->running = false;
		close(metrics->stop);
	}
	while (metrics->count) {
		close(metrics->fds[--metrics->count]);
		if (metrics->paths[metrics->count])
			unlink(metrics->paths[metrics->count]);
	}
}
