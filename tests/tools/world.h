/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The daemon without a kernel: a test plays the kernel at the other end of the daemon's device
 * (fake-device.c), with a source (origin.c).
 */
#ifndef TEST_WORLD_H
#define TEST_WORLD_H

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <poll.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include <cmocka.h>

#include <linux/cachefiles_od.h>

#define MIB		(1U << 20)
#define BIG_SIZE	(40U * MIB + 1234)
#define SMALL_SIZE	(1000U * 1000)
#define PATIENCE_MS	20000
#define ARGS_MAX	32

/**
 * struct world - one test's daemon and source
 * @dir: scratch directory
 * @blobs: directory of the blobs
 * @log: the daemon's log
 * @stats: the daemon's counters
 * @origin: pid, or 0
 * @url: of the origin
 * @origin_stats: the origin's counters
 * @daemon: pid, or 0
 * @dev: our end of the device
 * @big: content of the blob "big"
 * @next_id: for the next message
 * @validator: of the last copen, or ""
 * @prefetch: the daemon may look for traces, which sends requests to the source
 */
struct world {
	char dir[64];
	char blobs[80];
	char log[80];
	char stats[80];
	pid_t origin;
	char url[64];
	char origin_stats[80];
	pid_t daemon;
	int dev;
	uint8_t *big;
	uint32_t next_id;
	char validator[256];
	bool prefetch;
};

extern const char *build;

uint64_t now_ms(void);
void sleep_ms(long ms);
char *read_file(const char *path);
void write_file(const char *dir, const char *name, const void *data, size_t len);
bool is_logged(struct world *w, const char *what);
void assert_logged(struct world *w, const char *what);
long long json_number(const char *path, const char *key);
void wait_number(struct world *w, const char *key, long long value);
pid_t spawn(char *const *argv, int out, const char *log, int keep);
int wait_end(pid_t pid);
void add_words(char **argv, int *argc, char *list);
void start_origin(struct world *w, const char *scheme, const char *options);
void stop_origin(struct world *w);
void start_daemon(struct world *w, const char *options);
bool wait_device(struct world *w, bool to_send);
void expect_text(struct world *w, char *text, size_t size);
void expect(struct world *w, const char *want);
void send_message(struct world *w, const void *data, size_t len, int fd);
uint32_t send_open_key(struct world *w, uint32_t object_id, const void *key, size_t key_len,
			      int fd);
uint32_t send_open(struct world *w, uint32_t object_id, const char *name, int fd);
uint32_t send_read(struct world *w, uint32_t object_id, uint64_t off, uint64_t len);
void send_close(struct world *w, uint32_t object_id);
uintmax_t inode(int fd);
int new_cache_file(void);
void expect_copen(struct world *w, uint32_t msg_id, long long size_or_errno);
void expect_start(struct world *w);
void expect_complete(struct world *w, int fd, uint32_t msg_id);
void expect_closed(struct world *w, int fd);
int open_blob(struct world *w, uint32_t object_id, const char *name, long long size);
void check_only(int fd, const uint8_t *want, uint64_t off, uint64_t len);
int count_fds(pid_t pid);
void end_daemon(struct world *w);
bool sanitizer_complains(struct world *w);
int setup(void **state);
int teardown(void **state);

#define TEST(name)	cmocka_unit_test_setup_teardown(name, setup, teardown)

#endif
