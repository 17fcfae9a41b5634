// SPDX-License-Identifier: GPL-2.0-only
#include "world.h"

const char *build;

uint64_t now_ms(void)
{
	struct timespec now;

	clock_gettime(CLOCK_MONOTONIC, &now);
	return (uint64_t)now.tv_sec * 1000 + (uint64_t)now.tv_nsec / 1000000;
}

void sleep_ms(long ms)
{
	struct timespec time = { .tv_sec = ms / 1000, .tv_nsec = ms % 1000 * 1000000L };

	nanosleep(&time, NULL);
}

/* --- files --- */

char *read_file(const char *path)
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

void write_file(const char *dir, const char *name, const void *data, size_t len)
{
	char path[512];
	FILE *out;

	snprintf(path, sizeof(path), "%s/%s", dir, name);
	out = fopen(path, "we");
	assert_non_null(out);
	assert_int_equal(fwrite(data, 1, len, out), len);
	assert_int_equal(fclose(out), 0);
}

bool is_logged(struct world *w, const char *what)
{
	char *text = read_file(w->log);
	bool found = strstr(text, what) != NULL;

	free(text);
	return found;
}

/* A line may be logged a moment after its cause. */
void assert_logged(struct world *w, const char *what)
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

long long json_number(const char *path, const char *key)
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

/* The counters are written each second. */
void wait_number(struct world *w, const char *key, long long value)
{
	uint64_t end = now_ms() + PATIENCE_MS / 2;

	while (json_number(w->stats, key) != value && now_ms() < end)
		sleep_ms(20);
	assert_int_equal(json_number(w->stats, key), value);
}

/* --- processes --- */

pid_t spawn(char *const *argv, int out, const char *log, int keep)
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

/* Exit status, or -1 for a process that did not exit in time or was killed. */
int wait_end(pid_t pid)
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

/* Appends the words of @list to argv[*argc]; @list must stay allocated. */
void add_words(char **argv, int *argc, char *list)
{
	char *word, *save = NULL;

	for (word = strtok_r(list, " ", &save); word; word = strtok_r(NULL, " ", &save)) {
		assert_true(*argc < ARGS_MAX - 1);
		argv[(*argc)++] = word;
	}
	argv[*argc] = NULL;
}

void start_origin(struct world *w, const char *scheme, const char *options)
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

void stop_origin(struct world *w)
{
	kill(w->origin, SIGTERM);
	assert_int_equal(wait_end(w->origin), 0);
	w->origin = 0;
}

/* %s in @options is the origin's URL. */
void start_daemon(struct world *w, const char *options)
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
	snprintf(words, sizeof(words), "--fd %d --verbose --stats %s %s %s", pair[1], w->stats,
		 w->prefetch ? "" : "--no-prefetch", format);
	add_words(argv, &argc, words);
	w->daemon = spawn(argv, -1, w->log, pair[1]);
	close(pair[1]);
	w->dev = pair[0];
}

/* --- the kernel's part --- */

/*
 * Waits until something can be received, or also sent; true: send. If both ends only sent, they
 * would block each other.
 */
bool wait_device(struct world *w, bool to_send)
{
	struct pollfd ready = { .fd = w->dev,
				.events = (short)(POLLIN | (to_send ? POLLOUT : 0)) };

	assert_int_equal(poll(&ready, 1, PATIENCE_MS), 1);
	return !(ready.revents & POLLIN);
}

void expect_text(struct world *w, char *text, size_t size)
{
	ssize_t n;

	wait_device(w, false);
	n = recv(w->dev, text, size - 1, 0);
	if (n <= 0) {
		char *log = read_file(w->log);

		print_error("the daemon has exited; its log:\n%s", log);
		free(log);
	}
	assert_true(n > 0);
	text[n] = '\0';
}

void expect(struct world *w, const char *want)
{
	char text[4200];

	expect_text(w, text, sizeof(text));
	assert_string_equal(text, want);
}

void send_message(struct world *w, const void *data, size_t len, int fd)
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

uint32_t send_open_key(struct world *w, uint32_t object_id, const void *key, size_t key_len,
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

uint32_t send_open(struct world *w, uint32_t object_id, const char *name, int fd)
{
	return send_open_key(w, object_id, name, strlen(name), fd);
}

uint32_t send_read(struct world *w, uint32_t object_id, uint64_t off, uint64_t len)
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

void send_close(struct world *w, uint32_t object_id)
{
	struct cachefiles_od_msg head = { .msg_id = w->next_id++, .object_id = object_id,
					  .opcode = CACHEFILES_OD_OP_CLOSE, .len = sizeof(head) };

	send_message(w, &head, sizeof(head), -1);
}

uintmax_t inode(int fd)
{
	struct stat st;

	assert_int_equal(fstat(fd, &st), 0);
	return st.st_ino;
}

int new_cache_file(void)
{
	int fd = memfd_create("blob", MFD_CLOEXEC);

	assert_true(fd >= 0);
	return fd;
}

/* With a validator, or without one: that of the blob opened last. */
void expect_copen(struct world *w, uint32_t msg_id, long long size_or_errno)
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

/* Messages of a daemon that takes over a device. */
void expect_start(struct world *w)
{
	expect(w, "restore");
	expect(w, "wide");
}

void expect_complete(struct world *w, int fd, uint32_t msg_id)
{
	char want[64];

	snprintf(want, sizeof(want), "complete %ju %" PRIu32, inode(fd), msg_id);
	expect(w, want);
}

void expect_closed(struct world *w, int fd)
{
	char want[64];

	snprintf(want, sizeof(want), "close %ju", inode(fd));
	expect(w, want);
}

int open_blob(struct world *w, uint32_t object_id, const char *name, long long size)
{
	int fd = new_cache_file();

	expect_copen(w, send_open(w, object_id, name, fd), size);
	return fd;
}

/* Checks the whole cache file: right where it was filled, and empty elsewhere. */
void check_only(int fd, const uint8_t *want, uint64_t off, uint64_t len)
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

/* The minimum of several counts, since the counters' file is open briefly every second. */
int count_fds(pid_t pid)
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

void end_daemon(struct world *w)
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

/* --- setup and cleanup --- */

static void fill_random(uint8_t *data, size_t len)
{
	uint64_t x = 88172645463325252ULL;
	size_t i;

	for (i = 0; i < len; i++) {
		x ^= x << 13;
		x ^= x >> 7;
		x ^= x << 17;
		data[i] = (uint8_t)(x | 1);	/* never 0, to distinguish data from holes */
	}
}

int setup(void **state)
{
	struct world *w = calloc(1, sizeof(*w));

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

/* Also prints it. */
bool sanitizer_complains(struct world *w)
{
	char *text = read_file(w->log);
	bool found = strstr(text, "Sanitizer") || strstr(text, "runtime error");

	if (found)
		print_error("%s", text);
	free(text);
	return found;
}

int teardown(void **state)
{
	struct world *w = *state;
	char command[128];
	int sanitizer;

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
	sanitizer = sanitizer_complains(w) ? -1 : 0;
	snprintf(command, sizeof(command), "rm -rf %s", w->dir);
	if (system(command))
		return -1;
	free(w->big);
	free(w);
	return sanitizer;
}
