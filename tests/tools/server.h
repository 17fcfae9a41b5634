/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * An HTTP server inside a test, for responses that no library would send: each request is
 * passed to a function, which writes anything to the connection.
 */
#ifndef TEST_SERVER_H
#define TEST_SERVER_H

#include <pthread.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>

struct asked;

/**
 * struct server - set up by server_init()
 * @serve: gets each request
 * @data: what it serves
 * @size: bytes of @data
 * @port: port that it listens on, or will
 * @requests: number of requests
 * @fetches: number of requests other than probes
 * @sent: bytes of bodies
 * @flag: for @serve and the test
 * @when_ms: when the last request arrived
 */
struct server {
	void (*serve)(struct asked *asked);
	const uint8_t *data;
	uint64_t size;
	int port;
	int listener;
	pthread_t thread;
	bool running;
	atomic_int live;
	atomic_bool end;
	atomic_uint requests;
	atomic_uint fetches;
	atomic_ullong sent;
	atomic_int flag;
	atomic_ullong when_ms;
};

/**
 * struct asked - one request
 * @server: its server
 * @sock: the connection, closed after the reply
 * @nr: number of the request, from 1
 * @fetch: number among those other than probes, from 1; 0: a probe
 * @target: path and query
 * @head: the whole header
 * @first: first byte of its range
 * @last: last byte of its range, within the blob
 */
struct asked {
	struct server *server;
	int sock;
	unsigned int nr;
	unsigned int fetch;
	char target[512];
	char head[8192];
	uint64_t first;
	uint64_t last;
};

#define ALL	UINT64_MAX
#define DAY1	"Tue, 14 Nov 2023 22:13:20 GMT"
#define DAY2	"Wed, 15 Nov 2023 22:13:20 GMT"
#define V1	"ETag: \"v1\"\r\nLast-Modified: " DAY1 "\r\n"

void server_init(struct server *server, void (*serve)(struct asked *), const uint8_t *data,
		 uint64_t size);
void server_listen(struct server *server);
void server_stop(struct server *server);
void say(struct asked *asked, const char *fmt, ...) __attribute__((format(printf, 2, 3)));
void send_part(struct asked *asked, uint64_t first, uint64_t last, const char *fields,
	       uint64_t cut);
void send_whole(struct asked *asked, const char *fields, uint64_t cut);
void send_page(struct asked *asked, const char *type);
void serve_well(struct asked *asked);
void hang(struct asked *asked);

#endif
