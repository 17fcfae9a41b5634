// SPDX-License-Identifier: GPL-2.0-only
/*
 * An HTTP server for tests: serves the files of a directory with range support, and can be slow
 * or faulty in many ways. Prints "port N" when it is ready.
 *
 * A request for "bytes=0-0" is a probe for the size; faults of data do not affect probes.
 */
#include <argp.h>
#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <gnutls/gnutls.h>
#include <inttypes.h>
#include <microhttpd.h>
#include <netinet/in.h>
#include <pthread.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#define BLOCK	(256U << 10)
/* Bytes of a body that the link carries before it is another one's turn. */
#define LINK_TURN	(16U << 10)

enum fault {
	FAULT_FIRST,	/* any request: 503 */
	FAULT_DROP,	/* data: the connection ends in the middle of the body */
	FAULT_SHORT,	/* data: a complete response with half of the bytes */
	FAULT_STALL,	/* data: the body stalls halfway */
	FAULTS,
};

static struct {
	const char *dir;
	const char *address;
	unsigned int port;
	unsigned int delay_ms;
	unsigned long rate;
	unsigned long link;
	uint64_t crumb;
	long lie_size;
	bool no_range;
	bool change;
	bool weak;
	bool no_etag;
	bool no_date;
	const char *redirect;
	const char *stats;
	const char *cert;
	const char *key;
	const char *client_ca;
	atomic_int faults[FAULTS];
} config = { .address = "127.0.0.1" };

static struct {
	atomic_ullong requests, probes, errors, bytes;
	atomic_int in_flight, max_in_flight;
	atomic_bool end;
} counters;

/**
 * struct answer - a body being sent
 * @fd: the file
 * @off: where the range starts
 * @len: bytes announced
 * @stop: the body ends or stalls here
 * @fault: the reason, or %FAULTS
 */
struct answer {
	int fd;
	uint64_t off;
	uint64_t len;
	uint64_t stop;
	enum fault fault;
};

enum { KEY_FIRST = 0x100, KEY_DROP, KEY_SHORT, KEY_STALL, KEY_LIE, KEY_NO_RANGE, KEY_DELAY,
	KEY_RATE, KEY_STATS, KEY_CHANGE, KEY_WEAK, KEY_NO_ETAG, KEY_NO_DATE, KEY_REDIRECT,
	KEY_CERT, KEY_KEY, KEY_CLIENT_CA, KEY_LINK, KEY_CRUMB };

static const struct argp_option options[] = {
	{ "address", 'a', "IP", 0, "Listen here (127.0.0.1)", 0 },
	{ "port", 'p', "N", 0, "Port (any free one)", 0 },
	{ "delay-ms", KEY_DELAY, "MS", 0, "Wait before each answer", 0 },
	{ "rate", KEY_RATE, "BYTES", 0, "Bytes per second for each request", 0 },
	{ "link", KEY_LINK, "BYTES", 0, "Bytes per second for all requests together", 0 },
	{ "stats", KEY_STATS, "FILE", 0, "Write counters here, ten times a second", 0 },
	{ "fail-first", KEY_FIRST, "N", 0, "Answer the first N requests with 503", 0 },
	{ "drop", KEY_DROP, "N", OPTION_ARG_OPTIONAL, "Close in the middle of N bodies (all)", 0 },
	{ "short", KEY_SHORT, "N", OPTION_ARG_OPTIONAL, "Send half in N answers (all)", 0 },
	{ "stall", KEY_STALL, "N", OPTION_ARG_OPTIONAL, "Hang in the middle of N bodies (all)", 0 },
	{ "crumb", KEY_CRUMB, "BYTES", 0, "Answer each range with its first BYTES alone", 0 },
	{ "lie-size", KEY_LIE, "N", 0, "Probes tell a size that is N too large", 0 },
	{ "no-range", KEY_NO_RANGE, NULL, 0, "Ignore Range: always send all", 0 },
	{ "change", KEY_CHANGE, NULL, 0, "The ETag changes with every request", 0 },
	{ "weak", KEY_WEAK, NULL, 0, "ETags are weak", 0 },
	{ "no-etag", KEY_NO_ETAG, NULL, 0, "No ETag, Last-Modified alone", 0 },
	{ "no-date", KEY_NO_DATE, NULL, 0, "No Last-Modified", 0 },
	{ "redirect", KEY_REDIRECT, "BASE", 0, "Redirect every request to BASE/NAME", 0 },
	{ "cert", KEY_CERT, "FILE", 0, "TLS: certificate", 0 },
	{ "key", KEY_KEY, "FILE", 0, "TLS: key", 0 },
	{ "client-ca", KEY_CLIENT_CA, "FILE", 0, "TLS: 403 for clients that it does not vouch for", 0 },
	{ 0 },
};

static void set_fault(enum fault fault, const char *count)
{
	config.faults[fault] = count ? atoi(count) : INT32_MAX;
}

static error_t parse_option(int key, char *text, struct argp_state *state)
{
	switch (key) {
	case 'a':
		config.address = text;
		break;
	case 'p':
		config.port = (unsigned int)atoi(text);
		break;
	case KEY_DELAY:
		config.delay_ms = (unsigned int)atoi(text);
		break;
	case KEY_RATE:
		config.rate = strtoul(text, NULL, 10);
		break;
	case KEY_LINK:
		config.link = strtoul(text, NULL, 10);
		break;
	case KEY_CRUMB:
		config.crumb = strtoul(text, NULL, 10);
		break;
	case KEY_STATS:
		config.stats = text;
		break;
	case KEY_FIRST ... KEY_STALL:
		set_fault((enum fault)(key - KEY_FIRST), text);
		break;
	case KEY_LIE:
		config.lie_size = atol(text);
		break;
	case KEY_NO_RANGE:
		config.no_range = true;
		break;
	case KEY_CHANGE:
		config.change = true;
		break;
	case KEY_WEAK:
		config.weak = true;
		break;
	case KEY_NO_ETAG:
		config.no_etag = true;
		break;
	case KEY_NO_DATE:
		config.no_date = true;
		break;
	case KEY_REDIRECT:
		config.redirect = text;
		break;
	case KEY_CERT:
		config.cert = text;
		break;
	case KEY_KEY:
		config.key = text;
		break;
	case KEY_CLIENT_CA:
		config.client_ca = text;
		break;
	case ARGP_KEY_ARG:
		if (config.dir)
			argp_usage(state);
		config.dir = text;
		break;
	case ARGP_KEY_NO_ARGS:
		argp_usage(state);
		break;
	default:
		return ARGP_ERR_UNKNOWN;
	}
	return 0;
}

static const struct argp argp = {
	.options = options,
	.parser = parse_option,
	.args_doc = "DIR",
	.doc = "Serve the files of DIR by HTTP, for tests.",
};

static void sleep_ms(unsigned long ms)
{
	struct timespec time = { .tv_sec = (time_t)(ms / 1000),
				 .tv_nsec = (long)(ms % 1000) * 1000000L };

	nanosleep(&time, NULL);
}

static bool take_fault(enum fault fault)
{
	int left = atomic_load(&config.faults[fault]);

	while (left > 0)
		if (atomic_compare_exchange_weak(&config.faults[fault], &left, left - 1))
			return true;
	return false;
}

static ssize_t end_body(const struct answer *answer)
{
	switch (answer->fault) {
	case FAULT_STALL:
		while (!counters.end)
			sleep_ms(50);
		return MHD_CONTENT_READER_END_WITH_ERROR;
	case FAULT_DROP:
		return MHD_CONTENT_READER_END_WITH_ERROR;
	default:
		return MHD_CONTENT_READER_END_OF_STREAM;
	}
}

/* Bodies take turns on the link, a few packets each. */
static size_t take_link(size_t max)
{
	static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
	static struct timespec free_at;
	struct timespec now;

	if (max > LINK_TURN)
		max = LINK_TURN;
	clock_gettime(CLOCK_MONOTONIC, &now);
	pthread_mutex_lock(&lock);
	if (free_at.tv_sec < now.tv_sec ||
	    (free_at.tv_sec == now.tv_sec && free_at.tv_nsec < now.tv_nsec))
		free_at = now;
	free_at.tv_nsec += (long)(max * 1000000000UL / config.link);
	free_at.tv_sec += free_at.tv_nsec / 1000000000L;
	free_at.tv_nsec %= 1000000000L;
	now = free_at;
	pthread_mutex_unlock(&lock);
	clock_nanosleep(CLOCK_MONOTONIC, TIMER_ABSTIME, &now, NULL);
	return max;
}

static ssize_t read_body(void *arg, uint64_t pos, char *buf, size_t max)
{
	struct answer *answer = arg;
	ssize_t n;

	if (pos >= answer->stop)
		return end_body(answer);
	if (max > answer->stop - pos)
		max = (size_t)(answer->stop - pos);
	if (config.rate) {
		if (max > config.rate / 20 + 1)
			max = config.rate / 20 + 1;
		sleep_ms(max * 1000 / config.rate);
	}
	if (config.link)
		max = take_link(max);
	n = pread(answer->fd, buf, max, (off_t)(answer->off + pos));
	if (n <= 0)
		return MHD_CONTENT_READER_END_WITH_ERROR;
	counters.bytes += (unsigned long long)n;
	return n;
}

static void free_answer(void *arg)
{
	struct answer *answer = arg;

	close(answer->fd);
	free(answer);
}

static enum MHD_Result reply(struct MHD_Connection *connection, unsigned int status,
			     const char *name, const char *value)
{
	struct MHD_Response *response;
	enum MHD_Result result;

	response = MHD_create_response_from_buffer(0, NULL, MHD_RESPMEM_PERSISTENT);
	if (!response)
		return MHD_NO;
	if (status >= 400)
		counters.errors++;
	if (name)
		MHD_add_response_header(response, name, value);
	result = MHD_queue_response(connection, status, response);
	MHD_destroy_response(response);
	return result;
}

static void plan_fault(struct answer *answer)
{
	static const enum fault data_faults[] = { FAULT_DROP, FAULT_SHORT, FAULT_STALL };
	size_t i;

	for (i = 0; i < sizeof(data_faults) / sizeof(data_faults[0]); i++) {
		if (!take_fault(data_faults[i]))
			continue;
		answer->fault = data_faults[i];
		answer->stop = answer->len / 2;
		/* so that the short response is valid HTTP */
		if (answer->fault == FAULT_SHORT)
			answer->len = answer->stop;
		return;
	}
}

static void write_etag(char etag[80], const struct stat *st)
{
	static atomic_uint generation;

	snprintf(etag, 80, "%s\"%jx-%jx-%u\"", config.weak ? "W/" : "", (uintmax_t)st->st_size,
		 (uintmax_t)st->st_mtim.tv_sec, config.change ? ++generation : 0);
}

static void add_version(struct MHD_Response *response, const struct stat *st, const char *etag)
{
	char date[64];
	struct tm tm;

	strftime(date, sizeof(date), "%a, %d %b %Y %H:%M:%S GMT",
		 gmtime_r(&st->st_mtim.tv_sec, &tm));
	if (!config.no_date)
		MHD_add_response_header(response, "Last-Modified", date);
	if (!config.no_etag)
		MHD_add_response_header(response, "ETag", etag);
}

/* If-Range: with a strong ETag other than the current one, the whole file is requested. */
static bool is_other_version(struct MHD_Connection *connection, const char *etag)
{
	const char *wanted = MHD_lookup_connection_value(connection, MHD_HEADER_KIND, "If-Range");

	return wanted && (config.weak || config.no_etag || strcmp(wanted, etag));
}

/* Takes over @answer. Responses without fault or rate limit are sent by sendfile(2). */
static struct MHD_Response *make_response(struct answer *answer)
{
	struct MHD_Response *response;

	if (answer->fault == FAULTS && !config.rate && !config.link) {
		response = MHD_create_response_from_fd_at_offset64(answer->len, answer->fd,
								   answer->off);
		if (response) {
			counters.bytes += answer->len;
			free(answer);
			return response;
		}
	}
	response = MHD_create_response_from_callback(answer->len, BLOCK, read_body, answer,
						     free_answer);
	if (!response)
		free_answer(answer);
	return response;
}

static enum MHD_Result send_range(struct MHD_Connection *connection, int fd, const struct stat *st,
				  const char *etag, bool partial, uint64_t first, uint64_t last)
{
	bool probe = partial && !first && !last;
	struct MHD_Response *response;
	struct answer *answer;
	enum MHD_Result result;
	char text[96];

	answer = calloc(1, sizeof(*answer));
	if (!answer) {
		close(fd);
		return MHD_NO;
	}
	answer->fd = fd;
	answer->off = first;
	if (partial && config.crumb && last - first >= config.crumb)
		last = first + config.crumb - 1;
	answer->len = last - first + 1;
	answer->stop = answer->len;
	answer->fault = FAULTS;
	if (probe)
		counters.probes++;
	else
		plan_fault(answer);
	response = make_response(answer);
	if (!response)
		return MHD_NO;
	snprintf(text, sizeof(text), "bytes %" PRIu64 "-%" PRIu64 "/%" PRIu64, first, last,
		 (uint64_t)st->st_size + (uint64_t)(probe ? config.lie_size : 0));
	if (partial)
		MHD_add_response_header(response, "Content-Range", text);
	add_version(response, st, etag);
	result = MHD_queue_response(connection, partial ? 206 : 200, response);
	MHD_destroy_response(response);
	return result;
}

static enum MHD_Result serve_file(struct MHD_Connection *connection, int fd)
{
	const char *range = MHD_lookup_connection_value(connection, MHD_HEADER_KIND, "Range");
	uint64_t first = 0, last, size;
	char text[64], etag[80];
	struct stat st;

	if (fstat(fd, &st) || !S_ISREG(st.st_mode)) {
		close(fd);
		return reply(connection, 404, NULL, NULL);
	}
	size = (uint64_t)st.st_size;
	write_etag(etag, &st);
	if (range && !config.no_range && !is_other_version(connection, etag) &&
	    sscanf(range, "bytes=%" SCNu64 "-%" SCNu64, &first, &last) == 2) {
		if (first < size && first <= last)
			return send_range(connection, fd, &st, etag, true, first,
					  last < size ? last : size - 1);
		close(fd);
		snprintf(text, sizeof(text), "bytes */%" PRIu64, size);
		return reply(connection, 416, "Content-Range", text);
	}
	if (size)
		return send_range(connection, fd, &st, etag, false, 0, size - 1);
	close(fd);
	return reply(connection, 200, NULL, NULL);
}

/* A missing certificate is a wrong one, too. */
static bool is_known_client(struct MHD_Connection *connection)
{
	const union MHD_ConnectionInfo *info =
		MHD_get_connection_info(connection, MHD_CONNECTION_INFO_GNUTLS_SESSION);
	unsigned int status = ~0U;

	return info && !gnutls_certificate_verify_peers2(info->tls_session, &status) && !status;
}

static enum MHD_Result serve(struct MHD_Connection *connection, const char *url)
{
	char path[4096];
	int fd;

	if (take_fault(FAULT_FIRST))
		return reply(connection, 503, NULL, NULL);
	if (config.client_ca && !is_known_client(connection))
		return reply(connection, 403, NULL, NULL);
	if (config.redirect) {
		snprintf(path, sizeof(path), "%s%s", config.redirect, url);
		return reply(connection, 302, "Location", path);
	}
	if (strstr(url, "/.."))
		return reply(connection, 403, NULL, NULL);
	snprintf(path, sizeof(path), "%s%s", config.dir, url);
	fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK);
	if (fd < 0)
		return reply(connection, 404, NULL, NULL);
	return serve_file(connection, fd);
}

/* libmicrohttpd calls this until it queues a response: once, as there is no upload. */
static enum MHD_Result on_request(void *arg, struct MHD_Connection *connection, const char *url,
				  const char *method, const char *version, const char *data,
				  size_t *data_size, void **context)
{
	int now, max;

	(void)arg, (void)method, (void)version, (void)data, (void)data_size;
	*context = connection;
	counters.requests++;
	now = ++counters.in_flight;
	max = counters.max_in_flight;
	while (now > max && !atomic_compare_exchange_weak(&counters.max_in_flight, &max, now))
		;
	if (config.delay_ms)
		sleep_ms(config.delay_ms);
	return serve(connection, url);
}

static void on_completed(void *arg, struct MHD_Connection *connection, void **context,
			 enum MHD_RequestTerminationCode code)
{
	(void)arg, (void)connection, (void)code;
	if (*context)
		counters.in_flight--;
}

static void write_stats(void)
{
	char tmp[4096];
	FILE *out;

	if (!config.stats)
		return;
	snprintf(tmp, sizeof(tmp), "%s.tmp", config.stats);
	out = fopen(tmp, "we");
	if (!out)
		return;
	fprintf(out, "{\"requests\": %llu, \"probes\": %llu, \"errors\": %llu, \"bytes\": %llu, "
		"\"max_in_flight\": %d}\n", counters.requests, counters.probes, counters.errors,
		counters.bytes, counters.max_in_flight);
	if (!fclose(out))
		rename(tmp, config.stats);
}

/* The server uses the text until it exits, so it is never freed. */
static char *read_text(const char *path)
{
	FILE *in = fopen(path, "re");
	char *text = NULL;
	size_t size = 0;

	if (!in || getdelim(&text, &size, '\0', in) < 0) {
		perror(path);
		exit(1);
	}
	fclose(in);
	return text;
}

static struct MHD_Daemon *start(void)
{
	static struct MHD_OptionItem tls[4];
	struct sockaddr_in address = { .sin_family = AF_INET,
				       .sin_port = htons((uint16_t)config.port) };
	unsigned int flags = MHD_USE_INTERNAL_POLLING_THREAD | MHD_USE_THREAD_PER_CONNECTION |
			     MHD_USE_POLL;

	if (inet_pton(AF_INET, config.address, &address.sin_addr) != 1)
		return NULL;
	tls[0].option = MHD_OPTION_END;
	if (config.cert && config.key) {
		flags |= MHD_USE_TLS;
		tls[0].option = MHD_OPTION_HTTPS_MEM_CERT;
		tls[0].ptr_value = read_text(config.cert);
		tls[1].option = MHD_OPTION_HTTPS_MEM_KEY;
		tls[1].ptr_value = read_text(config.key);
		tls[2].option = MHD_OPTION_END;
		if (config.client_ca) {
			tls[2].option = MHD_OPTION_HTTPS_MEM_TRUST;
			tls[2].ptr_value = read_text(config.client_ca);
			tls[3].option = MHD_OPTION_END;
		}
	}
	return MHD_start_daemon(flags, 0, NULL, NULL, on_request, NULL,
				MHD_OPTION_SOCK_ADDR, &address,
				MHD_OPTION_NOTIFY_COMPLETED, on_completed, NULL,
				MHD_OPTION_ARRAY, tls,
				MHD_OPTION_END);
}

static void run(const sigset_t *set)
{
	struct timespec tick = { .tv_nsec = 100000000L };
	int sig;

	do {
		write_stats();
		sig = sigtimedwait(set, NULL, &tick);
	} while (sig < 0);
	counters.end = true;
}

int main(int argc, char **argv)
{
	struct MHD_Daemon *daemon;
	sigset_t set;

	argp_parse(&argp, argc, argv, 0, NULL, NULL);
	sigemptyset(&set);
	sigaddset(&set, SIGTERM);
	sigaddset(&set, SIGINT);
	sigprocmask(SIG_BLOCK, &set, NULL);
	signal(SIGPIPE, SIG_IGN);
	daemon = start();
	if (!daemon) {
		fprintf(stderr, "origin: cannot listen on %s port %u: %s\n", config.address,
			config.port, strerror(errno));
		return 1;
	}
	printf("port %u\n", MHD_get_daemon_info(daemon, MHD_DAEMON_INFO_BIND_PORT)->port);
	fflush(stdout);
	run(&set);
	MHD_stop_daemon(daemon);
	write_stats();
	return 0;
}
