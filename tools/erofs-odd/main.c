// SPDX-License-Identifier: GPL-2.0-only
#include <argp.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <unistd.h>

#include <linux/cachefiles_od.h>

#include "confine.h"
#include "device.h"
#include "http.h"
#include "log.h"
#include "maps.h"
#include "name.h"
#include "notify.h"
#include "pool.h"
#include "proc.h"
#include "range.h"
#include "serve.h"
#include "source.h"
#include "stats.h"

#define EXIT_USAGE	2
#define THREADS_MAX	1024

const char *argp_program_version = "erofs-odd " OD_VERSION;

enum option_key {
	KEY_DIR = 0x100,
	KEY_TAG,
	KEY_SECCTX,
	KEY_FD,
	KEY_SOURCE_FILE,
	KEY_TOKEN,
	KEY_HEADER,
	KEY_USER,
	KEY_NETRC,
	KEY_CERT,
	KEY_KEY,
	KEY_RETRIES,
	KEY_RETRY_TIME,
	KEY_SWITCH,
	KEY_NO_PREFETCH,
	KEY_MIRRORS,
	KEY_DOWNGRADE,
	KEY_QUEUE,
	KEY_PROC,
	KEY_TIMEOUT,
	KEY_LOW_SPEED,
	KEY_CACERT,
	KEY_STATS,
	KEY_METRICS,
	KEY_INITRAMFS,
	KEY_CACHE_SIZE,
	KEY_COLD,
	/* in the order of limit_names */
	KEY_BRUN,
	KEY_BCULL,
	KEY_BSTOP,
	KEY_FRUN,
	KEY_FCULL,
	KEY_FSTOP,
	KEY_LIMITS_END,
};

#define LIMITS	(KEY_LIMITS_END - KEY_BRUN)

static const char *const limit_names[LIMITS] = {
	"brun", "bcull", "bstop", "frun", "fcull", "fstop",
};

/**
 * struct arguments - the command line
 * @device: path
 * @fd: inherited fd of the device, or -1
 * @dir: cache directory
 * @tag: cache name
 * @secctx: security context
 * @limits: percentages, or -1
 * @verbose: log more
 * @initramfs: the root file system depends on this process
 * @retries: an option of an earlier version was given
 * @blotted: it contained a secret
 * @metrics: addresses to serve counters on
 * @nr_metrics: number of @metrics
 * @serve: everything else
 */
struct arguments {
	const char *device;
	int fd;
	const char *dir;
	const char *tag;
	const char *secctx;
	int limits[LIMITS];
	bool verbose;
	bool initramfs;
	bool retries;
	bool blotted;
	const char *metrics[METRICS_MAX];
	size_t nr_metrics;
	struct serve_options serve;
};

static const struct argp_option options[] = {
	{ NULL, 0, NULL, 0, "Cache:", 1 },
	{ "dir", KEY_DIR, "DIR", 0, "Cache directory (required without --fd)", 0 },
	{ "tag", KEY_TAG, "NAME", 0, "Cache name", 0 },
	{ "secctx", KEY_SECCTX, "CTX", 0, "Security context for the cache's files", 0 },
	{ "brun", KEY_BRUN, "N", 0, "Stop culling above N percent of free blocks", 0 },
	{ "bcull", KEY_BCULL, "N", 0, "Start culling below N percent of free blocks", 0 },
	{ "bstop", KEY_BSTOP, "N", 0, "Stop filling below N percent of free blocks", 0 },
	{ "frun", KEY_FRUN, "N", 0, "Stop culling above N percent of free files", 0 },
	{ "fcull", KEY_FCULL, "N", 0, "Start culling below N percent of free files", 0 },
	{ "fstop", KEY_FSTOP, "N", 0, "Stop filling below N percent of free files", 0 },
	{ "cache-size", KEY_CACHE_SIZE, "BYTES[K|M|G|T]", 0, "Cull when the cache uses more, down to "
	  "nine tenths of it", 0 },
	{ "cold", KEY_COLD, "SECONDS", 0, "With too little space, also cull parts of blobs in use "
	  "that were not read for this long (60)", 0 },
	{ "device", 'd', "PATH", 0, "Device of the kernel module (" CACHEFILES_OD_DEVICE ")", 0 },
	{ "fd", KEY_FD, "N", 0, "Take over the device open as fd N, whose cache is bound already, "
	  "with the requests that the last daemon did not complete", 0 },

	{ NULL, 0, NULL, 0, "Blobs:", 2 },
	{ "source", 's', "DIR|URL", 0, "Directory or http(s) URL with the blobs; may be repeated: the "
	  "first one that has a blob serves it, the others are fallbacks", 0 },
	{ "source-file", KEY_SOURCE_FILE, "FILE", 0, "The same, with the URL in a file, for one that "
	  "contains secrets", 0 },
	{ "token-file", KEY_TOKEN, "FILE", 0, "Bearer token for the source before this option", 0 },
	{ "header-file", KEY_HEADER, "FILE", 0, "Header fields for the source before this option, one "
	  "per line", 0 },
	{ "user-file", KEY_USER, "FILE", 0, "user:password for the source before this option", 0 },
	{ "netrc-file", KEY_NETRC, "FILE", 0, "Logins by host, for the source before this option", 0 },
	{ "cert", KEY_CERT, "FILE", 0, "Client certificate (PEM) for the source before this option", 0 },
	{ "key", KEY_KEY, "FILE", 0, "Key of --cert, if it is not in the same file", 0 },
	{ "mirrors", KEY_MIRRORS, NULL, 0, "Blobs of the same name and size are identical at all sources", 0 },
	{ "allow-http-redirect", KEY_DOWNGRADE, NULL, 0, "Follow redirects from https to http", 0 },
	{ "threads", 't', "N", 0, "Threads for each source (16); a quarter as many "
	  "more for OPENs and for blobs without another request", 0 },
	{ "queue", KEY_QUEUE, "N", 0, "Requests that may wait in the daemon, others wait in the kernel "
	  "(65536)", 0 },
	{ "retry-time", KEY_RETRY_TIME, "SECONDS", 0, "How long a request without progress is retried "
	  "(300)", 0 },
	{ "switch-time", KEY_SWITCH, "SECONDS", 0, "Switch to the next source when one sends nothing for "
	  "this long (3)", 0 },
	{ "no-prefetch", KEY_NO_PREFETCH, NULL, 0, "Do not prefetch: do not look for traces at the "
	  "sources", 0 },
	{ "retries", KEY_RETRIES, "N", OPTION_HIDDEN, NULL, 0 },
	{ "timeout", KEY_TIMEOUT, "SECONDS", 0, "Time limit of one HTTP request (30)", 0 },
	{ "low-speed", KEY_LOW_SPEED, "BYTES[:SECONDS]", 0, "Abort an HTTP request that is slower than "
	  "BYTES per second for SECONDS (1024:10); 0: never", 0 },
	{ "cacert", KEY_CACERT, "FILE", 0, "Trusted certificates, instead of the system's", 0 },

	{ NULL, 0, NULL, 0, "Other:", 3 },
	{ "initramfs", KEY_INITRAMFS, NULL, 0, "Serve the root file system: survive the switch from "
	  "the initramfs, the final kill at shutdown and the OOM killer", 0 },
	{ "stats", KEY_STATS, "FILE", 0, "Write counters to FILE every second, as JSON", 0 },
	{ "metrics", KEY_METRICS, "PATH|PORT", 0, "Serve Prometheus metrics on a UNIX socket or a "
	  "loopback port; may be repeated", 0 },
	{ "proc", KEY_PROC, "DIR", 0, "Read DIR instead of /proc", 0 },
	{ "verbose", 'v', NULL, 0, "Log debug messages, such as each OPEN", 0 },
	{ NULL, 0, NULL, 0, NULL, -1 },
	{ 0 },
};

static uint64_t parse_number(struct argp_state *state, const char *option, const char *text,
			     uint64_t min, uint64_t max)
{
	const char *p = text;
	uint64_t value;

	if (number_parse(&p, &value) || *p || value < min || value > max)
		argp_error(state, "invalid --%s '%s': not a number from %llu to %llu", option, text,
			   (unsigned long long)min, (unsigned long long)max);
	return value;
}

static uint64_t parse_size(struct argp_state *state, const char *option, const char *text)
{
	static const char units[] = "KMGT";
	const char *p = text, *unit;
	uint64_t value;
	bool bad = number_parse(&p, &value);
	int shift = 0;

	if (!bad && *p && (unit = strchr(units, *p)) != NULL) {
		shift = 10 * (int)(unit - units + 1);
		p++;
	}
	if (bad || *p || !value || value > (uint64_t)INT64_MAX >> shift)
		argp_error(state, "invalid --%s '%s': not a size", option, text);
	return value << shift;
}

static void parse_low_speed(struct argp_state *state, const char *text, struct fetch_options *fetch)
{
	uint64_t speed, seconds = (uint64_t)fetch->low_speed_s;
	const char *p = text;
	bool bad = number_parse(&p, &speed);

	if (!bad && *p == ':') {
		p++;
		bad = number_parse(&p, &seconds);
	}
	if (bad || *p || speed > INT_MAX || seconds > INT_MAX)
		argp_error(state, "invalid --low-speed '%s': neither BYTES nor BYTES:SECONDS", text);
	fetch->low_speed = (long)speed;
	fetch->low_speed_s = (long)seconds;
}

/* All users can read the command line: overwrites secrets in it. */
static void parse_source(struct argp_state *state, char *where, struct arguments *args)
{
	int err = source_add(&args->serve.sources, where);

	if (url_blot(where))
		args->blotted = true;
	if (err)
		argp_failure(state, EXIT_FAILURE, -err, "source %s", where);
}

static void parse_source_file(struct argp_state *state, const char *path, struct source **sources)
{
	int err = source_add_from_file(sources, path);

	if (err)
		argp_failure(state, EXIT_FAILURE, -err, "source in %s", path);
}

static void parse_auth(struct argp_state *state, int key, const char *path, struct source *sources)
{
	struct source *source = source_last(sources);
	char **const files[] = {
		[KEY_TOKEN - KEY_TOKEN] = source ? &source->auth.token : NULL,
		[KEY_HEADER - KEY_TOKEN] = source ? &source->auth.header : NULL,
		[KEY_USER - KEY_TOKEN] = source ? &source->auth.user : NULL,
		[KEY_NETRC - KEY_TOKEN] = source ? &source->auth.netrc : NULL,
		[KEY_CERT - KEY_TOKEN] = source ? &source->auth.cert : NULL,
		[KEY_KEY - KEY_TOKEN] = source ? &source->auth.key : NULL,
	};
	char **file = files[key - KEY_TOKEN];

	if (!source || source->ops != &source_http_ops)
		argp_error(state, "%s: credentials must follow the source that they are for", path);
	free(*file);
	*file = strdup(path);
	if (!*file)
		argp_failure(state, EXIT_FAILURE, ENOMEM, "%s", path);
}

static void check_arguments(struct argp_state *state, const struct arguments *args)
{
	if (args->fd < 0 && !args->dir)
		argp_error(state, "missing --dir");
	if (args->fd >= 0 && args->dir)
		argp_error(state, "--dir cannot be changed with --fd: the cache is bound already");
}

static error_t parse_option(int key, char *text, struct argp_state *state)
{
	struct arguments *args = state->input;
	struct serve_options *serve = &args->serve;
	int stored;

	switch (key) {
	case 'd':
		args->device = text;
		break;
	case KEY_FD:
		args->fd = (int)parse_number(state, "fd", text, 3, INT_MAX);
		break;
	case KEY_DIR:
		args->dir = text;
		break;
	case KEY_TAG:
		args->tag = text;
		break;
	case KEY_SECCTX:
		args->secctx = text;
		break;
	case KEY_BRUN ... KEY_FSTOP:
		args->limits[key - KEY_BRUN] =
			(int)parse_number(state, limit_names[key - KEY_BRUN], text, 0, 99);
		break;
	case 's':
		parse_source(state, text, args);
		break;
	case KEY_SOURCE_FILE:
		parse_source_file(state, text, &serve->sources);
		break;
	case KEY_TOKEN ... KEY_KEY:
		parse_auth(state, key, text, serve->sources);
		break;
	case 't':
		serve->threads = (unsigned int)parse_number(state, "threads", text, 1, THREADS_MAX);
		break;
	case KEY_RETRIES:
		args->retries = true;
		break;
	case KEY_RETRY_TIME:
		serve->fetch.retry_ms = parse_number(state, "retry-time", text, 0, 86400) * 1000;
		break;
	case KEY_SWITCH:
		serve->fetch.switch_ms = parse_number(state, "switch-time", text, 1, 3600) * 1000;
		break;
	case KEY_NO_PREFETCH:
		serve->no_prefetch = true;
		break;
	case KEY_QUEUE:
		serve->queue_max = (unsigned int)parse_number(state, "queue", text, 1, 1U << 24);
		break;
	case KEY_MIRRORS:
		serve->fetch.mirrors = true;
		break;
	case KEY_DOWNGRADE:
		serve->fetch.downgrade = true;
		break;
	case KEY_PROC:
		serve->proc = text;
		break;
	case KEY_TIMEOUT:
		serve->fetch.timeout_ms =
			(long)parse_number(state, "timeout", text, 1, 86400) * 1000;
		break;
	case KEY_LOW_SPEED:
		parse_low_speed(state, text, &serve->fetch);
		break;
	case KEY_CACERT:
		serve->fetch.cacert = text;
		break;
	case KEY_STATS:
		serve->stats_path = text;
		break;
	case KEY_METRICS:
		if (args->nr_metrics == METRICS_MAX)
			argp_error(state, "--metrics: more than %d", METRICS_MAX);
		args->metrics[args->nr_metrics++] = text;
		break;
	case KEY_CACHE_SIZE:
		serve->cull.size = parse_size(state, "cache-size", text);
		break;
	case KEY_COLD:
		serve->cull.cold_s = parse_number(state, "cold", text, 0, UINT32_MAX);
		break;
	case KEY_INITRAMFS:
		args->initramfs = true;
		break;
	case 'v':
		args->verbose = true;
		break;
	case ARGP_KEY_ARG:
		argp_error(state, "unexpected argument '%s'", text);
		break;
	case ARGP_KEY_END:
		if (!serve->sources)
			argp_error(state, "missing --source");
		/* A restarted service continues with its old cache, whatever --dir is. */
		stored = notify_stored_fd();
		if (stored >= 0 && args->fd < 0)
			args->fd = stored;
		else
			check_arguments(state, args);
		break;
	default:
		return ARGP_ERR_UNKNOWN;
	}
	return 0;
}

static const struct argp argp = {
	.options = options,
	.parser = parse_option,
	.doc = "Serve blobs to images that are mounted before their data has been fetched.",
};

/* Sends "NAME VALUE" and logs failures. */
static int configure(int dev, const char *name, const char *value)
{
	char command[CACHEFILES_OD_CMD_MAX + 1];
	int n, err;

	n = snprintf(command, sizeof(command), "%s%s%s", name, *value ? " " : "", value);
	if (n < 0 || (size_t)n >= sizeof(command) || strchr(value, '\n'))
		err = -EINVAL;
	else
		err = device_command(dev, command);
	if (err)
		log_err("kernel rejected '%.200s': %s", command, strerror(-err));
	return err;
}

static int configure_limits(int dev, const struct arguments *args)
{
	char percent[16];
	int i, err;

	for (i = 0; i < LIMITS; i++) {
		if (args->limits[i] < 0)
			continue;
		snprintf(percent, sizeof(percent), "%d%%", args->limits[i]);
		err = configure(dev, limit_names[i], percent);
		if (err)
			return err;
	}
	return 0;
}

static int bind_cache(int dev, const struct arguments *args)
{
	int err = configure(dev, "dir", args->dir);

	if (!err && args->tag)
		err = configure(dev, "tag", args->tag);
	if (!err && args->secctx)
		err = configure(dev, "secctx", args->secctx);
	if (!err)
		err = configure_limits(dev, args);
	if (!err)
		err = configure(dev, "bind", "ondemand");
	return err;
}

static const char *open_hint(int err)
{
	switch (err) {
	case -ENOENT:
	case -ENXIO:
	case -ENODEV:
		return "; is the module cachefiles_od loaded?";
	case -EBUSY:
		return "; another daemon has it open";
	case -EPERM:
	case -EACCES:
		return "; root (CAP_SYS_ADMIN) is required";
	}
	return "";
}

/* Before any OPEN is read, so that no map is just being created. */
static void sweep_maps(const char *dir)
{
	unsigned int removed;
	int err = maps_sweep(dir, &removed);

	if (err && err != -ENOENT)
		log_warn("%s/maps: failed to remove maps without a cache file: %s", dir, strerror(-err));
	else if (!err && removed)
		log_info("%s/maps: removed %u maps without a cache file", dir, removed);
}

/* Other modules do not know this command and work without. */
static bool ask_for_wide_reads(int dev)
{
	int err = device_command(dev, "wide");

	if (err)
		log_debug("the kernel supports neither 'wide' nor validators: %s", strerror(-err));
	return !err;
}

static int start_cache(struct arguments *args)
{
	int dev = device_open(args->device, args->fd);
	int err;

	if (dev < 0) {
		if (args->fd < 0)
			log_err("%s: %s%s", args->device, strerror(-dev), open_hint(dev));
		else
			log_err("fd %d: %s", args->fd, strerror(-dev));
		return dev;
	}
	err = args->fd >= 0 ? configure(dev, "restore", "") : bind_cache(dev, args);
	if (err) {
		close(dev);
		return err;
	}
	if (args->fd < 0) {
		notify_store_fd(dev);
		sweep_maps(args->dir);
	}
	args->serve.wide = ask_for_wide_reads(dev);
	return dev;
}

/* Each open blob has an fd, and thousands of blobs are not unusual. */
static void raise_fd_limit(void)
{
	struct rlimit limit;

	if (getrlimit(RLIMIT_NOFILE, &limit))
		return;
	limit.rlim_cur = limit.rlim_max;
	if (setrlimit(RLIMIT_NOFILE, &limit))
		log_debug("failed to raise the limit of open files: %s", strerror(errno));
}

/*
 * If this process serves the root file system, a task that gets it killed would wait for it
 * next. systemd spares processes whose command line begins with '@' when it leaves the
 * initramfs and at shutdown.
 */
static void outlive_the_others(char *argv0)
{
	static const char never[] = "-1000";
	int fd = open("/proc/self/oom_score_adj", O_WRONLY | O_CLOEXEC);

	if (*argv0)
		*argv0 = '@';
	if (fd < 0 || write(fd, never, sizeof(never) - 1) < 0)
		log_warn("failed to disable the OOM killer for this process: %s", strerror(errno));
	if (fd >= 0)
		close(fd);
}

static void warn_of_arguments(const struct arguments *args)
{
	if (args->retries)
		log_warn("--retries is ignored: use --retry-time");
	if (args->blotted)
		log_warn("a URL on the command line has a password or a query, which other users "
			 "can see at startup: use --source-file");
}

/* Root without capabilities is subject to file permissions like any other user. */
static void check_sources(const struct source *source)
{
	char why[512];
	int err;

	for (; source; source = source->next) {
		if (source->ops == &source_http_ops)
			err = auth_check(&source->auth, why, sizeof(why));
		else
			err = faccessat(source->dirfd, ".", R_OK | X_OK, AT_EACCESS) ? -errno : 0;
		if (!err)
			continue;
		log_warn("source %s: cannot be read without privileges: %s", source->shown,
			 source->ops == &source_http_ops ? why : strerror(-err));
	}
}

/* A daemon that took over a bound cache does not know its directory. */
static const char *cache_dir(const struct arguments *args)
{
	static char dir[PATH_MAX];

	if (args->fd < 0)
		return args->dir;
	if (proc_cache_dir(args->serve.proc, args->serve.dev, dir, sizeof(dir)))
		return args->dir;
	return dir;
}

static int listen_for_metrics(struct arguments *args)
{
	size_t i;
	int err;

	for (i = 0; i < args->nr_metrics; i++) {
		err = metrics_listen(&args->serve.metrics, args->metrics[i]);
		if (!err)
			continue;
		log_err("--metrics=%s: %s", args->metrics[i], strerror(-err));
		return err;
	}
	return 0;
}

static int serve_confined(struct arguments *args)
{
	int err;

	args->serve.dir = cache_dir(args);
	args->serve.cull.dir = args->serve.dir;
	args->serve.cull.proc = args->serve.proc;
	err = confine();
	if (err) {
		log_err("failed to drop capabilities: %s", strerror(-err));
		return err;
	}
	check_sources(args->serve.sources);
	return serve(&args->serve);
}

static int run(struct arguments *args)
{
	int err;

	err = http_global_init();
	if (err) {
		log_err("failed to start libcurl: %s", strerror(-err));
		return err;
	}
	err = listen_for_metrics(args);
	args->serve.dev = err ? err : start_cache(args);
	if (args->serve.dev < 0) {
		err = args->serve.dev;
		metrics_stop(&args->serve.metrics);
	} else {
		err = serve_confined(args);
		close(args->serve.dev);
	}
	http_global_exit();
	return err;
}

int main(int argc, char **argv)
{
	struct arguments args = {
		.device = CACHEFILES_OD_DEVICE,
		.fd = -1,
		.limits = { -1, -1, -1, -1, -1, -1 },
		.serve.threads = 16,
		.serve.queue_max = POOL_QUEUE_MAX,
		.serve.proc = "/proc",
		.serve.cull.cold_s = CULL_COLD_S,
		.serve.fetch = {
			.retry_ms = 300000,
			.switch_ms = 3000,
			.timeout_ms = 30000,
			.low_speed = 1024,
			.low_speed_s = 10,
		},
	};
	int err;

	argp_err_exit_status = EXIT_USAGE;
	argp_parse(&argp, argc, argv, 0, NULL, &args);
	log_init("erofs-odd", args.verbose);
	if (args.initramfs)
		outlive_the_others(argv[0]);
	warn_of_arguments(&args);
	stats_start();
	serve_block_signals();
	raise_fd_limit();
	err = run(&args);
	source_free(args.serve.sources);
	return err ? EXIT_FAILURE : EXIT_SUCCESS;
}
