// SPDX-License-Identifier: GPL-2.0-only
#include "server.h"

#include <arpa/inet.h>
#include <inttypes.h>
#include <netinet/in.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/time.h>
#include <time.h>
#include <unistd.h>

#include "world.h"

/* --- replies --- */

static bool send_all(struct asked *asked, const void *data, uint64_t len)
{
	const uint8_t *p = data;
	ssize_t n;

	for (; len; p += n, len -= (uint64_t)n) {
		n = send(asked->sock, p, len, MSG_NOSIGNAL);
		if (n <= 0)
			return false;
	}
	return true;
}

/* say - send any text */
void say(struct asked *asked, const char *fmt, ...)
{
	char text[4096];
	va_list args;
	int n;

	va_start(args, fmt);
	n = vsnprintf(text, sizeof(text), fmt, args);
	va_end(args);
	send_all(asked, text, (uint64_t)n);
}

static void send_body(struct asked *asked, uint64_t first, uint64_t last, uint64_t cut)
{
	uint64_t len = last - first + 1;

	if (len > cut)
		len = cut;
	if (send_all(asked, asked->server->data + first, len))
		asked->server->sent += len;
}

/* send_part - send a 206 for that range, truncated to @cut bytes */
void send_part(struct asked *asked, uint64_t first, uint64_t last, const char *fields, uint64_t cut)
{
	say(asked, "HTTP/1.1 206 Partial Content\r\nConnection: close\r\nContent-Length: %" PRIu64
	    "\r\nContent-Range: bytes %" PRIu64 "-%" PRIu64 "/%" PRIu64 "\r\n%s\r\n",
	    last - first + 1, first, last, asked->server->size, fields);
	send_body(asked, first, last, cut);
}

/* send_whole - send a 200 with the whole blob, truncated to @cut bytes */
void send_whole(struct asked *asked, const char *fields, uint64_t cut)
{
	say(asked, "HTTP/1.1 200 OK\r\nConnection: close\r\nContent-Length: %" PRIu64 "\r\n%s\r\n",
	    asked->server->size, fields);
	send_body(asked, 0, asked->server->size - 1, cut);
}

/* send_page - send the login page of a captive portal */
void send_page(struct asked *asked, const char *type)
{
	static const char page[] = "<html><body>Please sign in.</body></html>";

	say(asked, "HTTP/1.1 200 OK\r\nConnection: close\r\nContent-Length: %zu\r\n%s\r\n%s",
	    sizeof(page) - 1, type, page);
}

void serve_well(struct asked *asked)
{
	send_part(asked, asked->first, asked->last, V1, ALL);
}

/* hang - send nothing more, and keep the connection open */
void hang(struct asked *asked)
{
	while (!atomic_load(&asked->server->end))
		sleep_ms(20);
}

/* --- requests --- */

static bool read_head(struct asked *asked)
{
	size_t used = 0;
	ssize_t n;

	while (used < sizeof(asked->head) - 1) {
		n = recv(asked->sock, asked->head + used, sizeof(asked->head) - 1 - used, 0);
		if (n <= 0)
			return false;
		used += (size_t)n;
		asked->head[used] = '\0';
		if (strstr(asked->head, "\r\n\r\n"))
			return sscanf(asked->head, "GET %511s ", asked->target) == 1;
	}
	return false;
}

static void parse_range(struct asked *asked)
{
	const char *range = strstr(asked->head, "\r\nRange: bytes=");
	uint64_t end = asked->server->size - 1;

	asked->last = end;
	if (!range || sscanf(range, "\r\nRange: bytes=%" SCNu64 "-%" SCNu64, &asked->first,
			     &asked->last) != 2)
		return;
	if (asked->last > end)
		asked->last = end;
}

static void *connection(void *arg)
{
	struct asked *asked = arg;
	struct server *server = asked->server;
	char drain[256];

	if (read_head(asked)) {
		parse_range(asked);
		server->when_ms = now_ms();
		asked->nr = ++server->requests;
		if (asked->first || asked->last)
			asked->fetch = ++server->fetches;
		server->serve(asked);
	}
	/* Not a reset, which could overtake the response. */
	shutdown(asked->sock, SHUT_WR);
	while (recv(asked->sock, drain, sizeof(drain), 0) > 0)
		;
	close(asked->sock);
	free(asked);
	server->live--;
	return NULL;
}

static void *accept_all(void *arg)
{
	struct timeval patience = { .tv_sec = 20 };
	struct server *server = arg;
	struct asked *asked;
	pthread_t thread;
	int sock;

	while ((sock = accept4(server->listener, NULL, NULL, SOCK_CLOEXEC)) >= 0) {
		setsockopt(sock, SOL_SOCKET, SO_RCVTIMEO, &patience, sizeof(patience));
		asked = calloc(1, sizeof(*asked));
		asked->server = server;
		asked->sock = sock;
		server->live++;
		pthread_create(&thread, NULL, connection, asked);
		pthread_detach(thread);
	}
	return NULL;
}

/* server_init - reserve a port; connections to it are refused until server_listen() */
void server_init(struct server *server, void (*serve)(struct asked *), const uint8_t *data,
		 uint64_t size)
{
	struct sockaddr_in address = { .sin_family = AF_INET,
				       .sin_addr.s_addr = htonl(INADDR_LOOPBACK) };
	socklen_t len = sizeof(address);

	memset(server, 0, sizeof(*server));
	server->serve = serve;
	server->data = data;
	server->size = size;
	server->listener = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
	assert_int_equal(bind(server->listener, (struct sockaddr *)&address, sizeof(address)), 0);
	assert_int_equal(getsockname(server->listener, (struct sockaddr *)&address, &len), 0);
	server->port = ntohs(address.sin_port);
}

void server_listen(struct server *server)
{
	assert_int_equal(listen(server->listener, 64), 0);
	assert_int_equal(pthread_create(&server->thread, NULL, accept_all, server), 0);
	server->running = true;
}

void server_stop(struct server *server)
{
	server->end = true;
	shutdown(server->listener, SHUT_RDWR);
	if (server->running)
		pthread_join(server->thread, NULL);
	close(server->listener);
	while (atomic_load(&server->live))
		sleep_ms(5);
}
