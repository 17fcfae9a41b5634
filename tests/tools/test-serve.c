// SPDX-License-Identifier: GPL-2.0-only
/*
 * The daemon from end to end, without a kernel: this program plays the kernel
 * at the other end of the daemon's device (fake-device.c) and runs a source
 * (origin.c) that is slow, gone, or wrong on purpose.
 */
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
/* For what has to come; machines may be busy. */
#define PATIENCE_MS	60000
#define ARGS_MAX	32

/**
 * struct world - one test's daemon and source
 * @dir: scratch folder
 * @blobs: folder with the blobs in it
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
 * @source: what this run is about, if it is one of a table
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
	const void *source;
};

static const char *build;

static uint64_t now_ms(void)
{
	struct timespec now;

	clock_gettime(CLOCK_MONOTONIC, &now);
	return (uint64_t)now.tv_sec * 1000 + (uint64_t)now.tv_nsec / 1000000;
}

static void sleep_ms(long ms)
{
	struct timespec time = { .tv_sec = ms / 1000, .tv_nsec = ms % 1000 * 1000000L };

	nanosleep(&time, NULL);
}

/* --- files --- */

static char *read_file(const char *path)
{
	FILE *in = fopen(path, "re");
	char *text = NULL;
	size_t size = 0;

	if (!in || getdelim(&text, &size, '\0', in) < 0) {
		free(text);
		text = strdup("");
	}
	if (in)
		fclose(in);
	return text;
}

static void write_file(const char *dir, const char *name, const void *data, size_t len)
{
	char path[512];
	FILE *out;

	snprintf(path, sizeof(path), "%s/%s", dir, name);
	out = fopen(path, "we");
	assert_non_null(out);
	assert_int_equal(fwrite(data, 1, len, out), len);
	assert_int_equal(fclose(out), 0);
}

static bool is_logged(struct world *w, const char *what)
{
	char *text = read_file(w->log);
	bool found = strstr(text, what) != NULL;

	free(text);
	return found;
}

/* A line may come a moment after what it tells of. */
static void assert_logged(struct world *w, const char *what)
{
	uint64_t end = now_ms() + PATIENCE_MS / 4;
	char *text;

	while (!is_logged(w, what)) {
		if (now_ms() > end) {
			text = read_file(w->log);
			print_error("no \"%s\" in the log:\n%s", what, text);
			free(text);
			fail();
		}
		sleep_ms(5);
	}
}

static long long json_number(const char *path, const char *key)
{
	char *text = read_file(path);
	char quoted[64];
	const char *at;
	long long value = -1;

	snprintf(quoted, sizeof(quoted), "\"%s\": ", key);
	at = strstr(text, quoted);
	if (at)
		value = atoll(at + strlen(quoted));
	free(text);
	return value;
}

/* --- processes --- */

static pid_t spawn(char *const *argv, int out, const char *log, int keep)
{
	pid_t pid = fork();

	assert_true(pid >= 0);
	if (pid)
		return pid;
	if (out >= 0)
		dup2(out, STDOUT_FILENO);
	if (log)
		dup2(open(log, O_WRONLY | O_CREAT | O_APPEND, 0600), STDERR_FILENO);
	if (keep >= 0)
		fcntl(keep, F_SETFD, 0);
	execv(argv[0], argv);
	_exit(127);
}

/* Exit status, or -1 for a process that did not end in time or was killed. */
static int wait_end(pid_t pid)
{
	uint64_t end = now_ms() + PATIENCE_MS;
	int status;

	while (waitpid(pid, &status, WNOHANG) == 0) {
		if (now_ms() > end) {
			kill(pid, SIGKILL);
			waitpid(pid, &status, 0);
			return -1;
		}
		sleep_ms(5);
	}
	return WIFEXITED(status) ? WEXITSTATUS(status) : -1;
}

/* Appends the words of @list to argv[*argc]; @list must live on. */
static void add_words(char **argv, int *argc, char *list)
{
	char *word, *save = NULL;

	for (word = strtok_r(list, " ", &save); word; word = strtok_r(NULL, " ", &save)) {
		assert_true(*argc < ARGS_MAX - 1);
		argv[(*argc)++] = word;
	}
	argv[*argc] = NULL;
}

static void start_origin(struct world *w, const char *scheme, const char *options)
{
	char program[256], words[512], port[32] = "";
	char *argv[ARGS_MAX] = { program };
	int argc = 1, out[2];

	assert_int_equal(pipe2(out, O_CLOEXEC), 0);
	snprintf(program, sizeof(program), "%s/origin", build);
	snprintf(words, sizeof(words), "%s --stats %s %s", options, w->origin_stats, w->blobs);
	add_words(argv, &argc, words);
	w->origin = spawn(argv, out[1], NULL, -1);
	close(out[1]);
	assert_true(read(out[0], port, sizeof(port) - 1) > 5);
	close(out[0]);
	snprintf(w->url, sizeof(w->url), "%s://127.0.0.1:%d", scheme, atoi(port + 5));
}

static void stop_origin(struct world *w)
{
	kill(w->origin, SIGTERM);
	assert_int_equal(wait_end(w->origin), 0);
	w->origin = 0;
}

/* %s in @options is the origin's URL. */
static void start_daemon(struct world *w, const char *options)
{
	char program[256], words[1024], format[512];
	char *argv[ARGS_MAX] = { program };
	int argc = 1, pair[2];
	const char *at = strstr(options, "%s");

	assert_int_equal(socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, pair), 0);
	snprintf(program, sizeof(program), "%s/erofs-odd-fake", build);
	if (at)
		snprintf(format, sizeof(format), "%.*s%s%s", (int)(at - options), options, w->url,
			 at + 2);
	else
		snprintf(format, sizeof(format), "%s", options);
	snprintf(words, sizeof(words), "--fd %d --verbose --stats %s %s", pair[1], w->stats,
		 format);
	add_words(argv, &argc, words);
	w->daemon = spawn(argv, -1, w->log, pair[1]);
	close(pair[1]);
	w->dev = pair[0];
}

static void start_on_folder(struct world *w)
{
	char options[128];

	snprintf(options, sizeof(options), "--source %s", w->blobs);
	start_daemon(w, options);
}

/* --- the kernel's part --- */

/*
 * Waits until there is something to receive, or also until something can be
 * sent; true: send. Both ends would wait for ever if both only sent.
 */
static bool wait_device(struct world *w, bool to_send)
{
	struct pollfd ready = { .fd = w->dev,
				.events = (short)(POLLIN | (to_send ? POLLOUT : 0)) };

	assert_int_equal(poll(&ready, 1, PATIENCE_MS), 1);
	return !(ready.revents & POLLIN);
}

static void expect_text(struct world *w, char *text, size_t size)
{
	ssize_t n;

	wait_device(w, false);
	n = recv(w->dev, text, size - 1, 0);
	if (n <= 0) {
		char *log = read_file(w->log);

		print_error("the daemon is gone; its log:\n%s", log);
		free(log);
	}
	assert_true(n > 0);
	text[n] = '\0';
}

static void expect(struct world *w, const char *want)
{
	char text[4200];

	expect_text(w, text, sizeof(text));
	assert_string_equal(text, want);
}

static void send_message(struct world *w, const void *data, size_t len, int fd)
{
	char control[CMSG_SPACE(sizeof(int))] = "";
	struct iovec iov = { .iov_base = (void *)data, .iov_len = len };
	struct msghdr head = { .msg_iov = &iov, .msg_iovlen = 1 };
	struct cmsghdr *rights;

	if (fd >= 0) {
		head.msg_control = control;
		head.msg_controllen = sizeof(control);
		rights = CMSG_FIRSTHDR(&head);
		rights->cmsg_level = SOL_SOCKET;
		rights->cmsg_type = SCM_RIGHTS;
		rights->cmsg_len = CMSG_LEN(sizeof(int));
		memcpy(CMSG_DATA(rights), &fd, sizeof(fd));
	}
	assert_int_equal(sendmsg(w->dev, &head, MSG_NOSIGNAL), len);
}

static uint32_t send_open_key(struct world *w, uint32_t object_id, const void *key, size_t key_len,
			      int fd)
{
	static const char volume[] = "erofs,test";
	uint8_t buf[CACHEFILES_OD_MSG_MAX];
	struct cachefiles_od_open open = { .volume_key_size = sizeof(volume),
					   .cookie_key_size = (uint32_t)key_len };
	struct cachefiles_od_msg head = { .msg_id = w->next_id++, .object_id = object_id,
					  .opcode = CACHEFILES_OD_OP_OPEN };
	size_t len = sizeof(head) + sizeof(open) + sizeof(volume) + key_len;

	assert_true(len <= sizeof(buf));
	head.len = (uint32_t)len;
	memcpy(buf, &head, sizeof(head));
	memcpy(buf + sizeof(head), &open, sizeof(open));
	memcpy(buf + sizeof(head) + sizeof(open), volume, sizeof(volume));
	memcpy(buf + len - key_len, key, key_len);
	send_message(w, buf, len, fd);
	return head.msg_id;
}

static uint32_t send_open(struct world *w, uint32_t object_id, const char *name, int fd)
{
	return send_open_key(w, object_id, name, strlen(name), fd);
}

static uint32_t send_read(struct world *w, uint32_t object_id, uint64_t off, uint64_t len)
{
	struct cachefiles_od_read_range range = { .off = off, .len = len };
	uint8_t buf[sizeof(struct cachefiles_od_msg) + sizeof(range)];
	struct cachefiles_od_msg head = { .msg_id = w->next_id++, .object_id = object_id,
					  .opcode = CACHEFILES_OD_OP_READ, .len = sizeof(buf) };

	memcpy(buf, &head, sizeof(head));
	memcpy(buf + sizeof(head), &range, sizeof(range));
	send_message(w, buf, sizeof(buf), -1);
	return head.msg_id;
}

static void send_close(struct world *w, uint32_t object_id)
{
	struct cachefiles_od_msg head = { .msg_id = w->next_id++, .object_id = object_id,
					  .opcode = CACHEFILES_OD_OP_CLOSE, .len = sizeof(head) };

	send_message(w, &head, sizeof(head), -1);
}

static uintmax_t inode(int fd)
{
	struct stat st;

	assert_int_equal(fstat(fd, &st), 0);
	return st.st_ino;
}

static int new_cache_file(void)
{
	int fd = memfd_create("blob", MFD_CLOEXEC);

	assert_true(fd >= 0);
	return fd;
}

/* With a validator, or without one: that of the blob that was opened last. */
static void expect_copen(struct world *w, uint32_t msg_id, long long size_or_errno)
{
	char want[64], text[4200];
	size_t len;

	len = (size_t)snprintf(want, sizeof(want), "copen %" PRIu32 ",%lld", msg_id,
			       size_or_errno);
	expect_text(w, text, sizeof(text));
	snprintf(w->validator, sizeof(w->validator), "%s", strlen(text) > len ? text + len + 1 : "");
	text[len] = strlen(text) > len && text[len] == ',' ? '\0' : text[len];
	assert_string_equal(text, want);
}

/* What a daemon says that takes over a device. */
static void expect_start(struct world *w)
{
	expect(w, "restore");
	expect(w, "wide");
}

static void expect_complete(struct world *w, int fd, uint32_t msg_id)
{
	char want[64];

	snprintf(want, sizeof(want), "complete %ju %" PRIu32, inode(fd), msg_id);
	expect(w, want);
}

static void expect_closed(struct world *w, int fd)
{
	char want[64];

	snprintf(want, sizeof(want), "close %ju", inode(fd));
	expect(w, want);
}

static int open_blob(struct world *w, uint32_t object_id, const char *name, long long size)
{
	int fd = new_cache_file();

	expect_copen(w, send_open(w, object_id, name, fd), size);
	return fd;
}

/* The whole cache file: right where it was filled, and empty everywhere else. */
static void check_only(int fd, const uint8_t *want, uint64_t off, uint64_t len)
{
	struct stat st;
	uint8_t *got;
	uint64_t i;
	bool clean = true;

	assert_int_equal(fstat(fd, &st), 0);
	assert_int_equal((uint64_t)st.st_size, off + len);
	if (!len)
		return;
	got = mmap(NULL, off + len, PROT_READ, MAP_SHARED, fd, 0);
	assert_ptr_not_equal(got, MAP_FAILED);
	for (i = 0; i < off && clean; i++)
		clean = !got[i];
	clean = clean && !memcmp(got + off, want + off, len);
	munmap(got, off + len);
	assert_true(clean);
}

static int count_fds_once(pid_t pid)
{
	char path[64];
	int count = 0;
	DIR *dir;

	snprintf(path, sizeof(path), "/proc/%d/fd", (int)pid);
	dir = opendir(path);
	assert_non_null(dir);
	while (readdir(dir))
		count++;
	closedir(dir);
	return count;
}

/* The least of some, for the counters' file is open for a moment each second. */
static int count_fds(pid_t pid)
{
	int i, count, least = count_fds_once(pid);

	for (i = 0; i < 4; i++) {
		sleep_ms(20);
		count = count_fds_once(pid);
		if (count < least)
			least = count;
	}
	return least;
}

static void end_daemon(struct world *w)
{
	char text[4200];
	ssize_t n;

	kill(w->daemon, SIGTERM);
	assert_int_equal(wait_end(w->daemon), 0);
	w->daemon = 0;
	while ((n = recv(w->dev, text, sizeof(text), MSG_DONTWAIT)) > 0)
		;
	close(w->dev);
	w->dev = -1;
}

/* --- set up and put away --- */

static void fill_random(uint8_t *data, size_t len)
{
	uint64_t x = 88172645463325252ULL;
	size_t i;

	for (i = 0; i < len; i++) {
		x ^= x << 13;
		x ^= x >> 7;
		x ^= x << 17;
		data[i] = (uint8_t)(x | 1);	/* never 0: holes are told from data */
	}
}

static int setup(void **state)
{
	struct world *w = calloc(1, sizeof(*w));

	w->source = *state;
	strcpy(w->dir, "/tmp/odd-test.XXXXXX");
	assert_non_null(mkdtemp(w->dir));
	snprintf(w->blobs, sizeof(w->blobs), "%s/blobs", w->dir);
	snprintf(w->log, sizeof(w->log), "%s/log", w->dir);
	snprintf(w->stats, sizeof(w->stats), "%s/stats", w->dir);
	snprintf(w->origin_stats, sizeof(w->origin_stats), "%s/origin", w->dir);
	assert_int_equal(mkdir(w->blobs, 0700), 0);
	w->dev = -1;
	w->next_id = 1;
	w->big = malloc(BIG_SIZE);
	fill_random(w->big, BIG_SIZE);
	write_file(w->blobs, "big", w->big, BIG_SIZE);
	write_file(w->blobs, "small", w->big, SMALL_SIZE);
	write_file(w->blobs, "empty", w->big, 0);
	write_file(w->blobs, "odd na%me?#&\303\244", w->big, 4097);
	*state = w;
	return 0;
}

static int teardown(void **state)
{
	struct world *w = *state;
	char command[128];
	int sanitizer = 0;
	char *text;

	if (w->daemon) {
		kill(w->daemon, SIGKILL);
		waitpid(w->daemon, NULL, 0);
	}
	if (w->origin) {
		kill(w->origin, SIGKILL);
		waitpid(w->origin, NULL, 0);
	}
	if (w->dev >= 0)
		close(w->dev);
	text = read_file(w->log);
	if (strstr(text, "Sanitizer") || strstr(text, "runtime error")) {
		print_error("%s", text);
		sanitizer = -1;
	}
	free(text);
	snprintf(command, sizeof(command), "rm -rf %s", w->dir);
	if (system(command))
		return -1;
	free(w->big);
	free(w);
	return sanitizer;
}

/* --- the tests --- */

static void read_and_check(struct world *w)
{
	uint64_t tail = BIG_SIZE / 4096 * 4096;
	int fd = open_blob(w, 1, "big", BIG_SIZE);
	int other;

	expect_complete(w, fd, send_read(w, 1, 4096, MIB));
	check_only(fd, w->big, 4096, MIB);
	close(fd);

	/* more than there is: clamped to the end */
	other = open_blob(w, 2, "big", BIG_SIZE);
	expect_complete(w, other, send_read(w, 2, tail, MIB));
	check_only(other, w->big, tail, BIG_SIZE - tail);
	send_close(w, 2);
	expect_closed(w, other);
	close(other);
}

static void test_folder(void **state)
{
	struct world *w = *state;

	start_on_folder(w);
	expect_start(w);
	read_and_check(w);
	open_blob(w, 3, "empty", 0);
	expect_copen(w, send_open(w, 4, "absent", new_cache_file()), -ENOENT);
	end_daemon(w);
}

static void test_http(void **state)
{
	struct world *w = *state;
	long long requests;
	int fd;

	start_origin(w, "http", "");
	start_daemon(w, "--source %s/");
	expect_start(w);
	read_and_check(w);
	close(open_blob(w, 3, "empty", 0));
	fd = open_blob(w, 4, "odd na%me?#&\303\244", 4097);
	expect_complete(w, fd, send_read(w, 4, 0, 8192));
	check_only(fd, w->big, 0, 4097);
	close(fd);
	fd = new_cache_file();
	expect_copen(w, send_open(w, 5, "absent", fd), -ENOENT);
	expect_closed(w, fd);
	close(fd);
	end_daemon(w);
	stop_origin(w);
	/* 4 probes with success, 1 for an empty and 1 for a missing blob, 3 reads */
	requests = json_number(w->origin_stats, "requests");
	assert_int_equal(requests, 8);
	assert_int_equal(json_number(w->stats, "opens"), 5);
	assert_int_equal(json_number(w->stats, "reads"), 3);
	assert_int_equal(json_number(w->stats, "open_errors"), 1);
	assert_int_equal(json_number(w->stats, "bytes_filled"), MIB + BIG_SIZE % 4096 + 4097);
	assert_int_equal(json_number(w->stats, "open_blobs"), 0);
	assert_true(json_number(w->stats, "first_byte_ms") >= 0);
}

static void test_first_source_wins(void **state)
{
	struct world *w = *state;
	char second[96], options[256];
	int fd;

	snprintf(second, sizeof(second), "%s/second", w->dir);
	assert_int_equal(mkdir(second, 0700), 0);
	write_file(second, "small", "other", 5);
	write_file(second, "only", "only", 4);
	start_origin(w, "http", "");
	snprintf(options, sizeof(options), "--source %%s --source %s", second);
	start_daemon(w, options);
	expect_start(w);
	close(open_blob(w, 1, "small", SMALL_SIZE));
	fd = open_blob(w, 2, "only", 4);
	expect_complete(w, fd, send_read(w, 2, 0, 4096));
	check_only(fd, (const uint8_t *)"only", 0, 4);
	close(fd);
	end_daemon(w);
}

/* 200 READs of 1 MiB, 16 of them under way at any time; returns MB/s. */
static uint64_t measure_reads(struct world *w)
{
	const int total = 200;
	int sent = 0, done;
	uint64_t start = now_ms();
	char text[128];

	while (sent < 16)
		send_read(w, 1, (uint64_t)(sent++ % 40) * MIB, MIB);
	for (done = 0; done < total; done++) {
		expect_text(w, text, sizeof(text));
		assert_memory_equal(text, "complete", 8);
		if (sent < total)
			send_read(w, 1, (uint64_t)(sent++ % 40) * MIB, MIB);
	}
	return (uint64_t)total * MIB / 1000 / (now_ms() - start + 1);
}

/*
 * 20 ms per request: one after the other that is 52 MB/s at best. That many are in flight at
 * once is demanded; how fast that is depends on what else runs, and is printed.
 */
static void test_slow_source(void **state)
{
	struct world *w = *state;
	uint64_t speed;
	int fd;

	start_origin(w, "http", "--delay-ms 20");
	start_daemon(w, "--source %s");
	expect_start(w);
	fd = open_blob(w, 1, "big", BIG_SIZE);
	speed = measure_reads(w);
	check_only(fd, w->big, 0, 40 * MIB);
	close(fd);
	end_daemon(w);
	stop_origin(w);
	print_message("# READs of 1 MiB from a 20 ms source: %" PRIu64 " MB/s, %lld in flight\n",
		      speed, json_number(w->origin_stats, "max_in_flight"));
	/*
	 * On a busy machine some end before others begin; and the next request may come before
	 * the origin has put the last one away.
	 */
	assert_in_range(json_number(w->origin_stats, "max_in_flight"), 8, 32);
}

/**
 * struct source - a server that misbehaves, and what becomes of one READ
 * @name: of the run
 * @origin, @daemon: options
 * @blob: that is opened
 * @size: what the OPEN is completed with, or a negative errno
 * @off, @len: of the READ
 * @filled: bytes that are in the cache afterwards, all of the READ or none, or ANY
 * @logged: what the daemon says
 * @retries, @read_errors: counters in the end
 */
struct source {
	const char *name, *origin, *daemon, *blob;
	long long size;
	uint64_t off, len, filled;
	const char *logged[2];
	long long retries, read_errors;
};

#define ANY	UINT64_MAX

static const struct source sources[] = {
	{ .name = "fails, drops and cuts off at first", .blob = "big", .size = BIG_SIZE,
	  .origin = "--fail-first 2 --drop=1 --short=1", .daemon = "",
	  .len = 2 * MIB, .filled = 2 * MIB, .retries = 4,
	  .logged = { "status 503; trying again", "the connection ended after" } },
	{ .name = "short replies", .blob = "big", .size = BIG_SIZE,
	  .origin = "--short", .daemon = "--retries 2", .len = 4096, .retries = 2,
	  .read_errors = 1, .logged = { "a short answer: 2048 of 4096 bytes" } },
	{ .name = "stalls", .blob = "big", .size = BIG_SIZE,
	  .origin = "--stall", .daemon = "--retries 0 --timeout 1", .len = MIB, .filled = ANY,
	  .read_errors = 1, .logged = { "(Connection timed out)" } },
	{ .name = "lies about the size", .blob = "small", .size = SMALL_SIZE + 4096,
	  .origin = "--lie-size 4096", .daemon = "", .len = MIB, .read_errors = 1,
	  .logged = { "the server says the blob has 1000000 bytes, it had 1004096" } },
	{ .name = "changes the blob", .blob = "small", .size = SMALL_SIZE,
	  .origin = "--change", .daemon = "", .len = 4096, .read_errors = 1,
	  .logged = { "the blob changed on the server" } },
	/* The first probe has no body to drop, for a blob of 1 MB is sent at once. */
	{ .name = "ignores Range, small blob", .blob = "small", .size = SMALL_SIZE,
	  .origin = "--no-range --drop=1", .daemon = "", .off = 8192, .len = 4096,
	  .filled = 4096 },
	{ .name = "ignores Range, big blob", .blob = "big", .size = -EOPNOTSUPP,
	  .origin = "--no-range", .daemon = "", .logged = { "the server ignores Range" } },
	{ .name = "redirects for ever", .blob = "big", .size = -EIO,
	  .origin = "--redirect /again", .daemon = "", .logged = { "redirects" } },
};

static void test_source(void **state)
{
	struct world *w = *state;
	const struct source *source = w->source;
	char options[128];
	int fd = new_cache_file();
	size_t i;

	start_origin(w, "http", source->origin);
	snprintf(options, sizeof(options), "--source %%s %s", source->daemon);
	start_daemon(w, options);
	expect_start(w);
	expect_copen(w, send_open(w, 1, source->blob, fd), source->size);
	if (source->size < 0) {
		expect_closed(w, fd);
	} else {
		expect_complete(w, fd, send_read(w, 1, source->off, source->len));
		if (source->filled != ANY)
			check_only(fd, w->big, source->filled ? source->off : 0, source->filled);
	}
	close(fd);
	for (i = 0; i < 2 && source->logged[i]; i++)
		assert_logged(w, source->logged[i]);
	end_daemon(w);
	assert_int_equal(json_number(w->stats, "retries"), source->retries);
	assert_int_equal(json_number(w->stats, "read_errors"), source->read_errors);
}

static void test_gone_source(void **state)
{
	struct world *w = *state;
	int fd, other;

	start_origin(w, "http", "");
	start_daemon(w, "--source %s --retries 1");
	expect_start(w);
	fd = open_blob(w, 1, "big", BIG_SIZE);
	stop_origin(w);
	expect_complete(w, fd, send_read(w, 1, 0, MIB));
	check_only(fd, w->big, 0, 0);
	close(fd);
	other = new_cache_file();
	expect_copen(w, send_open(w, 2, "small", other), -EIO);
	expect_closed(w, other);
	close(other);
	assert_logged(w, "blob big, 1048576 bytes at 0: ");
	assert_logged(w, "Failed to connect");
	assert_logged(w, "blob small cannot be opened: ");
	end_daemon(w);
}

static void test_changed_file(void **state)
{
	struct world *w = *state;
	char path[128];
	int fd;

	start_on_folder(w);
	expect_start(w);
	fd = open_blob(w, 1, "small", SMALL_SIZE);
	snprintf(path, sizeof(path), "%s/small", w->blobs);
	assert_int_equal(truncate(path, 5000), 0);
	expect_complete(w, fd, send_read(w, 1, 4096, 8192));
	check_only(fd, w->big, 0, 0);
	close(fd);
	assert_logged(w, "the file has 5000 bytes now, it had 1000000");
	end_daemon(w);
}

/* How often a text is in the log. */
static int times_logged(struct world *w, const char *what)
{
	char *text = read_file(w->log);
	const char *at = text;
	int count = 0;

	while ((at = strstr(at, what)) != NULL) {
		at += strlen(what);
		count++;
	}
	free(text);
	return count;
}

static void set_mtime(struct world *w, const char *name, time_t seconds)
{
	struct timespec times[2] = { { .tv_nsec = UTIME_OMIT }, { .tv_sec = seconds } };
	char path[128];

	snprintf(path, sizeof(path), "%s/%s", w->blobs, name);
	assert_int_equal(utimensat(AT_FDCWD, path, times, 0), 0);
}

/* Two READs of a blob that changed, and one that came before: one line in the log. */
static void check_changed_once(struct world *w, int fd, const char *why)
{
	expect_complete(w, fd, send_read(w, 1, 4096, 8192));
	expect_complete(w, fd, send_read(w, 1, 65536, 4096));
	check_only(fd, w->big, 0, 4096);
	assert_logged(w, why);
	assert_int_equal(times_logged(w, "nothing more is filled"), 1);
	assert_int_equal(times_logged(w, "bytes at"), 0);
	close(fd);
}

/* What a server has to tell versions apart, and that it is looked at. */
struct version {
	const char *name, *origin, *validator, *why;
};

static const struct version versions[] = {
	{ "strong ETag", "", "\"f4240-6553f100-0\"",
	  "its ETag was \"f4240-6553f100-0\" and is \"f4240-6553f101-0\"" },
	{ "weak ETag", "--weak", "W/\"f4240-6553f100-0\" Tue, 14 Nov 2023 22:13:20 GMT 1000000",
	  "its ETag was W/\"f4240-6553f100-0\" and is" },
	{ "Last-Modified", "--no-etag", "Tue, 14 Nov 2023 22:13:20 GMT 1000000",
	  "its Last-Modified was Tue, 14 Nov 2023 22:13:20 GMT and is" },
	/* A server that has all of a small blob at once only is watched, too. */
	{ "whole blobs only", "--no-range", "\"f4240-6553f100-0\"", "its ETag was" },
};

static void test_version(void **state)
{
	struct world *w = *state;
	const struct version *version = w->source;
	int fd;

	set_mtime(w, "small", 1700000000);
	start_origin(w, "http", version->origin);
	start_daemon(w, "--source %s");
	expect_start(w);
	fd = open_blob(w, 1, "small", SMALL_SIZE);
	assert_string_equal(w->validator, version->validator);
	expect_complete(w, fd, send_read(w, 1, 0, 4096));
	check_only(fd, w->big, 0, 4096);
	/* The same bytes, for all that can be known another version. */
	set_mtime(w, "small", 1700000001);
	check_changed_once(w, fd, version->why);
	/* Opened again it is a version like any other. */
	send_close(w, 1);
	wait_device(w, false);
	end_daemon(w);
	assert_int_equal(json_number(w->stats, "read_errors"), 2);
	assert_int_equal(json_number(w->stats, "retries"), 0);
	stop_origin(w);
}

static void test_no_version(void **state)
{
	struct world *w = *state;
	int fd;

	/* A kernel module that does not take "wide" gets no validator, and both go on. */
	setenv("FAKE_REFUSE", "wide", 1);
	start_on_folder(w);
	unsetenv("FAKE_REFUSE");
	expect(w, "restore");
	fd = open_blob(w, 1, "small", SMALL_SIZE);
	assert_string_equal(w->validator, "");
	expect_complete(w, fd, send_read(w, 1, 0, 4096));
	check_only(fd, w->big, 0, 4096);
	close(fd);
	end_daemon(w);
}

static void open_folder_blob(struct world *w, int *fd)
{

	start_on_folder(w);
	expect_start(w);
	*fd = open_blob(w, 1, "small", SMALL_SIZE);
	expect_complete(w, *fd, send_read(w, 1, 0, 4096));
}

static void test_touched_file(void **state)
{
	struct world *w = *state;
	char first[256];
	int fd;

	open_folder_blob(w, &fd);
	strcpy(first, w->validator);
	assert_true(strlen(first) > 20);
	set_mtime(w, "small", 1700000000);
	check_changed_once(w, fd, "the file was changed since it was opened");
	close(open_blob(w, 2, "small", SMALL_SIZE));
	assert_string_not_equal(w->validator, first);
	assert_memory_equal(w->validator, "1700000000.000000000-", 21);
	end_daemon(w);
}

static void test_replaced_file(void **state)
{
	struct world *w = *state;
	char from[128], to[128];
	int fd;

	open_folder_blob(w, &fd);
	write_file(w->blobs, "new", w->big, SMALL_SIZE);
	snprintf(from, sizeof(from), "%s/new", w->blobs);
	snprintf(to, sizeof(to), "%s/small", w->blobs);
	assert_int_equal(rename(from, to), 0);
	check_changed_once(w, fd, "the file was replaced by another one");
	end_daemon(w);
}

static void test_removed_file(void **state)
{
	struct world *w = *state;
	char path[128];
	int fd;

	open_folder_blob(w, &fd);
	snprintf(path, sizeof(path), "%s/small", w->blobs);
	assert_int_equal(unlink(path), 0);
	check_changed_once(w, fd, "the file is gone");
	end_daemon(w);
}

/* The kernel has parts of another version and readers of it: told once, not at each READ. */
static void test_stale_copen(void **state)
{
	struct world *w = *state;
	uint32_t id;
	int fd = new_cache_file();

	setenv("FAKE_REFUSE", "copen", 1);
	setenv("FAKE_ERRNO", "116", 1);
	start_on_folder(w);
	unsetenv("FAKE_REFUSE");
	unsetenv("FAKE_ERRNO");
	expect_start(w);
	for (id = 1; id <= 3; id++) {
		send_open(w, id, "small", fd);
		expect_closed(w, fd);
	}
	assert_logged(w, "blob small: changed at the source while it is in use");
	assert_int_equal(times_logged(w, "blob small"), 1);
	/* Another version is news again. */
	set_mtime(w, "small", 1700000000);
	send_open(w, 4, "small", fd);
	expect_closed(w, fd);
	end_daemon(w);
	assert_int_equal(times_logged(w, "blob small: changed"), 2);
	assert_int_equal(json_number(w->stats, "open_errors"), 4);
	close(fd);
}

static void test_redirect(void **state)
{
	struct world *first = *state;
	void *other_state;
	struct world *w;
	char options[96];
	int fd;

	setup(&other_state);
	w = other_state;
	start_origin(first, "http", "");
	snprintf(options, sizeof(options), "--redirect %s", first->url);
	start_origin(w, "http", options);
	start_daemon(w, "--source %s");
	expect_start(w);
	fd = open_blob(w, 1, "big", BIG_SIZE);
	expect_complete(w, fd, send_read(w, 1, MIB, 4096));
	check_only(fd, w->big, MIB, 4096);
	close(fd);
	end_daemon(w);
	assert_int_equal(teardown(&other_state), 0);
}

static void make_certificate(struct world *w)
{
	char command[512];

	snprintf(command, sizeof(command), "openssl req -x509 -newkey rsa:2048 -nodes -days 2 "
		 "-subj /CN=127.0.0.1 -addext subjectAltName=IP:127.0.0.1 -keyout %s/key "
		 "-out %s/cert 2>/dev/null", w->dir, w->dir);
	assert_int_equal(system(command), 0);
}

static void test_tls(void **state)
{
	struct world *w = *state;
	char options[256];
	int fd;

	make_certificate(w);
	snprintf(options, sizeof(options), "--cert %s/cert --key %s/key", w->dir, w->dir);
	start_origin(w, "https", options);
	snprintf(options, sizeof(options), "--source %%s --cacert %s/cert", w->dir);
	start_daemon(w, options);
	expect_start(w);
	fd = open_blob(w, 1, "big", BIG_SIZE);
	expect_complete(w, fd, send_read(w, 1, MIB, MIB));
	check_only(fd, w->big, MIB, MIB);
	close(fd);
	end_daemon(w);

	/* without --cacert nobody vouches for it */
	start_daemon(w, "--source %s");
	expect_start(w);
	fd = new_cache_file();
	expect_copen(w, send_open(w, 1, "big", fd), -EIO);
	close(fd);
	assert_logged(w, "certificate");
	end_daemon(w);
}

/* The daemon writes its counters once a second. */
static void await_counter(struct world *w, const char *name, long long value)
{
	uint64_t end = now_ms() + PATIENCE_MS;

	while (json_number(w->stats, name) != value && now_ms() < end)
		sleep_ms(20);
	assert_int_equal(json_number(w->stats, name), value);
}

/* SIGTERM with fetches under way and others queued: prompt, in order, none answered. */
static void test_end_while_fetching(void **state)
{
	struct world *w = *state;
	char text[128];
	uint64_t start;
	int fd, i;

	start_origin(w, "http", "--stall");
	start_daemon(w, "--source %s");
	expect_start(w);
	fd = open_blob(w, 1, "big", BIG_SIZE);
	for (i = 0; i < 40; i++)
		send_read(w, 1, (uint64_t)i * MIB, MIB);
	await_counter(w, "queued", 24);
	assert_int_equal(json_number(w->stats, "in_flight"), 16);
	start = now_ms();
	kill(w->daemon, SIGTERM);
	assert_int_equal(wait_end(w->daemon), 0);
	w->daemon = 0;
	/* far from --timeout, even on a busy machine */
	assert_true(now_ms() - start < 10000);
	expect_text(w, text, sizeof(text));
	assert_memory_equal(text, "close", 5);
	assert_int_equal(recv(w->dev, text, sizeof(text), 0), 0);
	close(fd);
	assert_logged(w, "40 requests were left unanswered");
	assert_int_equal(json_number(w->stats, "in_flight"), 0);
}

/* CLOSE with fetches under way: they are given up, and only then the fd is closed. */
static void test_close_while_fetching(void **state)
{
	struct world *w = *state;
	int fd, other, i;

	start_origin(w, "http", "--stall=16");
	start_daemon(w, "--source %s");
	expect_start(w);
	fd = open_blob(w, 1, "big", BIG_SIZE);
	for (i = 0; i < 30; i++)
		send_read(w, 1, (uint64_t)i * MIB, MIB);
	await_counter(w, "in_flight", 16);
	send_close(w, 1);
	expect_closed(w, fd);
	close(fd);
	/* the workers are free again, and a new object of that name is another one */
	other = open_blob(w, 2, "big", BIG_SIZE);
	expect_complete(w, other, send_read(w, 2, 0, 4096));
	check_only(other, w->big, 0, 4096);
	close(other);
	end_daemon(w);
}

/* OPEN, READ and CLOSE back to back: no answer may reach another object's fd. */
static void test_thousand_opens(void **state)
{
	struct world *w = *state;
	int before, fd;
	uint32_t id, read_id;

	start_origin(w, "http", "");
	start_daemon(w, "--source %s");
	expect_start(w);
	fd = open_blob(w, 1, "small", SMALL_SIZE);
	send_close(w, 1);
	expect_closed(w, fd);
	close(fd);
	before = count_fds(w->daemon);
	for (id = 2; id < 1002; id++) {
		fd = open_blob(w, id, id % 2 ? "small" : "big", id % 2 ? SMALL_SIZE : BIG_SIZE);
		read_id = send_read(w, id, 4096 * (id % 16), 4096);
		expect_complete(w, fd, read_id);
		check_only(fd, w->big, 4096 * (id % 16), 4096);
		send_close(w, id);
		expect_closed(w, fd);
		close(fd);
	}
	/* idle workers may each keep a connection and what libcurl needs for it */
	assert_in_range(count_fds(w->daemon), before, before + 16 * 3);
	end_daemon(w);
	assert_int_equal(json_number(w->stats, "closes"), 1001);
	assert_int_equal(json_number(w->stats, "open_blobs"), 0);
}

static void test_thousand_open_at_once(void **state)
{
	static int fds[1000];
	static bool closed[1000];
	struct world *w = *state;
	char text[128];
	uintmax_t number;
	int before, i, j, sent = 0, done = 0;

	start_on_folder(w);
	expect_start(w);
	/* once around, so that the daemon has all that it opens for itself */
	fds[0] = open_blob(w, 5000, "small", SMALL_SIZE);
	send_close(w, 5000);
	expect_closed(w, fds[0]);
	close(fds[0]);
	before = count_fds(w->daemon);
	for (i = 0; i < 1000; i++)
		fds[i] = open_blob(w, (uint32_t)i + 1, "small", SMALL_SIZE);
	assert_int_equal(count_fds(w->daemon), before + 2000);
	memset(closed, 0, sizeof(closed));
	/* a READ may be given up for the CLOSE; nothing may come after its fd's close */
	while (done < 1000) {
		if (sent < 1000 && wait_device(w, true)) {
			send_read(w, (uint32_t)sent + 1, 0, 4096);
			send_close(w, (uint32_t)++sent);
			continue;
		}
		expect_text(w, text, sizeof(text));
		number = strtoumax(strchr(text, ' '), NULL, 10);
		for (j = 0; j < 1000 && inode(fds[j]) != number; j++)
			;
		assert_in_range(j, 0, 999);
		assert_false(closed[j]);
		if (text[1] == 'l') {
			closed[j] = true;
			done++;
		}
	}
	assert_int_equal(count_fds(w->daemon), before);
	for (i = 0; i < 1000; i++)
		close(fds[i]);
	end_daemon(w);
}

/* More READs than the daemon queues: the others wait in the device, none is lost. */
static void test_flood(void **state)
{
	struct world *w = *state;
	char text[128];
	int fd, sent = 0, done = 0;
	const int total = 10000;

	/* slow enough that READs come faster than they are answered */
	start_origin(w, "http", "--delay-ms 2");
	start_daemon(w, "--source %s");
	expect_start(w);
	fd = open_blob(w, 1, "big", BIG_SIZE);
	while (done < total) {
		if (sent < total && wait_device(w, true)) {
			send_read(w, 1, (uint64_t)(sent++ % 64) * 4096, 4096);
			continue;
		}
		expect_text(w, text, sizeof(text));
		done++;
	}
	check_only(fd, w->big, 0, 64 * 4096);
	close(fd);
	end_daemon(w);
	assert_int_equal(json_number(w->stats, "reads"), total);
}

static void test_hostile_names(void **state)
{
	static const struct {
		const char *key;
		size_t len;
		int err;
	} cases[] = {
		{ ".", 1, -EINVAL },
		{ "..", 2, -EINVAL },
		{ "../blobs/small", 14, -EINVAL },
		{ "a/b", 3, -EINVAL },
		{ "/etc/passwd", 11, -EINVAL },
		{ ".hidden", 7, -EINVAL },
		{ "small\0", 6, -EINVAL },
		{ "a\nb", 3, -EINVAL },
	};
	struct world *w = *state;
	char longest[253];
	size_t i;
	int fd;

	start_on_folder(w);
	expect_start(w);
	for (i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		fd = new_cache_file();
		expect_copen(w, send_open_key(w, 1, cases[i].key, cases[i].len, fd), cases[i].err);
		expect_closed(w, fd);
		close(fd);
	}
	memset(longest, 'x', sizeof(longest));
	fd = new_cache_file();
	expect_copen(w, send_open_key(w, 1, longest, 253, fd), -ENAMETOOLONG);
	expect_closed(w, fd);
	expect_copen(w, send_open_key(w, 1, longest, 252, fd), -ENOENT);
	expect_closed(w, fd);
	close(fd);
	end_daemon(w);
}

static void test_bad_messages(void **state)
{
	struct world *w = *state;
	uint32_t words[8] = { 1, 0, 16, 1 };
	int fd;

	start_on_folder(w);
	expect_start(w);
	send_message(w, words, 7, -1);		/* shorter than a header */
	send_message(w, words, 16, -1);		/* an OPEN without its data */
	words[1] = 7;
	send_message(w, words, 16, -1);		/* no such opcode */
	words[1] = CACHEFILES_OD_OP_CLOSE;
	words[2] = 15;
	send_message(w, words, 16, -1);		/* len does not match */
	send_read(w, 99, 0, 4096);		/* no such object */
	send_close(w, 99);
	fd = open_blob(w, 1, "small", SMALL_SIZE);
	expect_complete(w, fd, send_read(w, 1, 1 << 20, 4096));		/* beyond the end */
	expect_complete(w, fd, send_read(w, 1, UINT64_MAX - 4095, 8192));	/* wraps */
	expect_complete(w, fd, send_read(w, 1, 0, 0));
	/* the same object once more */
	expect_copen(w, send_open(w, 1, "small", fd), -EEXIST);
	expect_closed(w, fd);
	/* and it still works */
	expect_complete(w, fd, send_read(w, 1, 0, 4096));
	check_only(fd, w->big, 0, 4096);
	close(fd);
	assert_logged(w, "the blob ends at 1000000");
	end_daemon(w);
	assert_int_equal(json_number(w->stats, "bad_messages"), 6);
}

/* No space: the fd refuses the write. */
static void test_cache_full(void **state)
{
	struct world *w = *state;
	int fd = open("/dev/full", O_RDWR | O_CLOEXEC);

	assert_true(fd >= 0);
	start_origin(w, "http", "");
	start_daemon(w, "--source %s");
	expect_start(w);
	expect_copen(w, send_open(w, 1, "big", fd), BIG_SIZE);
	expect_complete(w, fd, send_read(w, 1, 0, MIB));
	close(fd);
	assert_logged(w, "writing to the cache: No space left on device");
	end_daemon(w);
	assert_int_equal(json_number(w->stats, "retries"), 0);
}

/*
 * Long answers are written piece by piece while the rest still comes: the first one, for
 * which a reader waits, is small.
 */
static void test_pieces(void **state)
{
	struct world *w = *state;
	struct stat st = { 0 };
	uint64_t end = now_ms() + PATIENCE_MS;
	uint32_t id;
	int fd;

	start_origin(w, "http", "--rate 1000000");
	start_daemon(w, "--source %s");
	expect_start(w);
	fd = open_blob(w, 1, "big", BIG_SIZE);
	id = send_read(w, 1, 0, MIB);
	while (!st.st_size && now_ms() < end) {
		assert_int_equal(fstat(fd, &st), 0);
		sleep_ms(5);
	}
	assert_in_range(st.st_size, 1, MIB / 4);
	expect_complete(w, fd, id);
	check_only(fd, w->big, 0, MIB);
	close(fd);
	end_daemon(w);
}

/* A daemon that is not handed the device: configures and binds it. */
static void start_unbound(struct world *w, char *options, int *listener)
{
	struct sockaddr_un address = { .sun_family = AF_UNIX };
	char program[256];
	char *argv[ARGS_MAX] = { program, (char *)"--device", address.sun_path };
	int argc = 3;

	snprintf(address.sun_path, sizeof(address.sun_path), "%s/dev", w->dir);
	snprintf(program, sizeof(program), "%s/erofs-odd-fake", build);
	*listener = socket(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0);
	assert_int_equal(bind(*listener, (struct sockaddr *)&address, sizeof(address)), 0);
	assert_int_equal(listen(*listener, 1), 0);
	add_words(argv, &argc, options);
	w->daemon = spawn(argv, -1, w->log, -1);
	w->dev = accept4(*listener, NULL, NULL, SOCK_CLOEXEC);
	assert_true(w->dev >= 0);
}

static void test_bind(void **state)
{
	struct world *w = *state;
	char options[256];
	int listener;

	snprintf(options, sizeof(options), "--dir /var/cache/x --tag t --brun 10 --fstop 2 "
		 "--source %s", w->blobs);
	start_unbound(w, options, &listener);
	expect(w, "dir /var/cache/x");
	expect(w, "tag t");
	expect(w, "brun 10%");
	expect(w, "fstop 2%");
	expect(w, "bind ondemand");
	expect(w, "wide");
	close(open_blob(w, 1, "small", SMALL_SIZE));
	end_daemon(w);
	close(listener);
}

static void test_bind_refused(void **state)
{
	struct world *w = *state;
	char options[256];
	int listener;

	snprintf(options, sizeof(options), "--dir /x --source %s", w->blobs);
	setenv("FAKE_REFUSE", "bind", 1);
	start_unbound(w, options, &listener);
	unsetenv("FAKE_REFUSE");
	expect(w, "dir /x");
	assert_int_equal(wait_end(w->daemon), 1);
	w->daemon = 0;
	assert_logged(w, "the kernel refused 'bind ondemand': Invalid argument");
	close(listener);
}

/* The kernel no longer wants the answer to an OPEN: the fd is closed all the same. */
static void test_copen_refused(void **state)
{
	struct world *w = *state;
	int fd = new_cache_file();

	setenv("FAKE_REFUSE", "copen", 1);
	start_on_folder(w);
	unsetenv("FAKE_REFUSE");
	expect_start(w);
	send_open(w, 1, "small", fd);
	expect_closed(w, fd);
	send_open(w, 2, "absent", fd);
	expect_closed(w, fd);
	close(fd);
	end_daemon(w);
}

static void test_device_gone(void **state)
{
	struct world *w = *state;

	start_on_folder(w);
	expect_start(w);
	close(w->dev);
	w->dev = -1;
	assert_int_equal(wait_end(w->daemon), 1);
	w->daemon = 0;
	assert_logged(w, "the device is gone");
}

/* The service manager knows it by the first byte of its command line. */
static void test_initramfs(void **state)
{
	struct world *w = *state;
	char options[128], path[64], *text;

	snprintf(options, sizeof(options), "--initramfs --source %s", w->blobs);
	start_daemon(w, options);
	expect_start(w);
	snprintf(path, sizeof(path), "/proc/%d/cmdline", (int)w->daemon);
	text = read_file(path);
	assert_int_equal(text[0], '@');
	free(text);
	snprintf(path, sizeof(path), "/proc/%d/oom_score_adj", (int)w->daemon);
	text = read_file(path);
	/* That needs a right that not all who run tests have. */
	if (strcmp(text, "-1000\n"))
		assert_logged(w, "lack of memory may end this process");
	free(text);
	close(open_blob(w, 1, "small", SMALL_SIZE));
	end_daemon(w);
}

static void test_counters_on_signal(void **state)
{
	struct world *w = *state;
	uint64_t end = now_ms() + PATIENCE_MS;

	start_on_folder(w);
	expect_start(w);
	close(open_blob(w, 1, "small", SMALL_SIZE));
	kill(w->daemon, SIGUSR1);
	/* the file is written once a second, without any end of the daemon */
	while (json_number(w->stats, "opens") != 1 && now_ms() < end)
		sleep_ms(20);
	assert_int_equal(json_number(w->stats, "open_blobs"), 1);
	assert_logged(w, "1 blobs open, ");
	end_daemon(w);
}

#define TEST(name)	cmocka_unit_test_setup_teardown(name, setup, teardown)
#define ROWS(table)	(sizeof(table) / sizeof((table)[0]))

static struct CMUnitTest row(const char *name, CMUnitTestFunction run, const void *data)
{
	return (struct CMUnitTest){ name, run, setup, teardown, (void *)data };
}

int main(void)
{
	static const struct CMUnitTest single[] = {
		TEST(test_folder),
		TEST(test_http),
		TEST(test_first_source_wins),
		TEST(test_slow_source),
		TEST(test_gone_source),
		TEST(test_changed_file),
		TEST(test_no_version),
		TEST(test_touched_file),
		TEST(test_replaced_file),
		TEST(test_removed_file),
		TEST(test_stale_copen),
		TEST(test_redirect),
		TEST(test_tls),
		TEST(test_end_while_fetching),
		TEST(test_close_while_fetching),
		TEST(test_thousand_opens),
		TEST(test_thousand_open_at_once),
		TEST(test_flood),
		TEST(test_hostile_names),
		TEST(test_bad_messages),
		TEST(test_cache_full),
		TEST(test_pieces),
		TEST(test_bind),
		TEST(test_bind_refused),
		TEST(test_copen_refused),
		TEST(test_device_gone),
		TEST(test_initramfs),
		TEST(test_counters_on_signal),
	};

	struct CMUnitTest tests[ROWS(single) + ROWS(sources) + ROWS(versions)];
	size_t nr, i;

	memcpy(tests, single, sizeof(single));
	nr = ROWS(single);
	for (i = 0; i < ROWS(sources); i++)
		tests[nr++] = row(sources[i].name, test_source, &sources[i]);
	for (i = 0; i < ROWS(versions); i++)
		tests[nr++] = row(versions[i].name, test_version, &versions[i]);
	build = getenv("OD_BUILD");
	if (!build) {
		fputs("OD_BUILD must name the build folder\n", stderr);
		return 2;
	}
	signal(SIGPIPE, SIG_IGN);
	return cmocka_run_group_tests_name("serve", tests, NULL, NULL);
}
