/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Counters in the Prometheus text format over HTTP, on a UNIX socket or a loopback port. A
 * dedicated thread serves one client at a time, each for a few seconds at most.
 */
#ifndef ODD_METRICS_H
#define ODD_METRICS_H

#include <pthread.h>
#include <stdbool.h>
#include <stdio.h>

/** METRICS_MAX - addresses to listen on */
#define METRICS_MAX	4

/**
 * struct metrics - state of the metrics server
 * @proc: path of /proc
 * @dev: the device, whose cache is reported
 * @fds: sockets
 * @paths: paths of UNIX sockets, else NULL
 * @count: number of sockets
 * @stop: eventfd that ends the thread
 * @thread: the thread
 * @running: it was started
 */
struct metrics {
	const char *proc;
	int dev;
	int fds[METRICS_MAX];
	const char *paths[METRICS_MAX];
	size_t count;
	int stop;
	pthread_t thread;
	bool running;
};

int metrics_listen(struct metrics *metrics, const char *address);
int metrics_start(struct metrics *metrics, const char *proc, int dev);
void metrics_stop(struct metrics *metrics);
void metrics_print(const char *proc, int dev, FILE *out);

#endif
