// SPDX-License-Identifier: GPL-2.0-only
#include <errno.h>
#include <inttypes.h>
#include <limits.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "cachedir.h"
#include "cli.h"
#include "command.h"
#include "human.h"
#include "keyname.h"
#include "log.h"
#include "recorder.h"
#include "status.h"
#include "text.h"
#include "tracefile.h"

#define LOOK_MS	100

/**
 * struct tracing - state of the command
 * @fsid: the image
 * @domain: its domain, or NULL
 * @own: copy of @domain to free, if it was looked up, or NULL
 * @volume: key of its volume
 * @path: the trace's file
 * @proc: path of /proc
 * @trace: what was recorded
 * @dir: the cache
 * @present: bytes of the image in the cache
 * @status: the state, as of the last search for an unknown blob
 * @loaded: @status was loaded in this pass
 * @full: the trace has reached its limit
 * @unknown: READs of blobs that were closed before their size was known
 * @recorder: records
 */
struct tracing {
	const char *fsid;
	const char *domain;
	char *own;
	char volume[OD_KEY_MAX + 8];
	char *path;
	const char *proc;
	struct trace trace;
	struct cachedir dir;
	uint64_t present;
	struct status status;
	bool loaded;
	bool full;
	unsigned int unknown;
	struct recorder recorder;
};

static const struct argp_option options[] = {
	{ "output", 'o', "FILE", 0, "Write the trace to FILE", 0 },
	{ "domain", 'd', "NAME", 0, "Domain of the image (default: that of its mount)", 0 },
	{ 0 },
};

static error_t parse_option(void *input, int key, char *text, struct argp_state *state)
{
	struct tracing *tracing = input;

	switch (key) {
	case 'o':
		free(tracing->path);
		tracing->path = strdup(text);
		if (!tracing->path)
			argp_failure(state, OD_EXIT_FAILED, ENOMEM, "%s", text);
		return 0;
	case 'd':
		tracing->domain = text;
		return 0;
	}
	return ARGP_ERR_UNKNOWN;
}

/* A path is that of the image's blob: the trace belongs next to it. */
static void check(void *input, const struct cli_values *values, struct argp_state *state)
{
	struct tracing *tracing = input;
	const char *slash = strrchr(values->args[0], '/');

	tracing->fsid = slash ? slash + 1 : values->args[0];
	if (!*tracing->fsid || strlen(tracing->fsid) > OD_KEY_MAX)
		argp_error(state, "invalid image '%s'", values->args[0]);
	if (tracing->domain && strlen(tracing->domain) > OD_KEY_MAX)
		argp_error(state, "invalid domain '%s'", tracing->domain);
	if (!tracing->path && asprintf(&tracing->path, "%s" TRACE_SUFFIX, values->args[0]) < 0)
		argp_failure(state, OD_EXIT_FAILED, ENOMEM, "%s", values->args[0]);
}

static const struct cli cli = {
	.doc = "Run COMMAND and record what it reads of IMAGE that is not in the cache, in IMAGE"
	       TRACE_SUFFIX ". Beside the image's blob, that file makes erofs-odd fetch the same "
	       "ahead at the next start. IMAGE is the name of an image, or the path of its blob.",
	.shared = CLI_PROC | CLI_CACHE | CLI_SYSROOT,
	.options = options,
	.args_doc = "IMAGE -- COMMAND [ARG...]",
	.required = { "IMAGE", "COMMAND" },
	.max_args = UINT_MAX,
	.parse = parse_option,
	.check = check,
};

/* --- what is cached already --- */

static bool is_our_mount(const struct tracing *tracing, const struct mounted *mounted)
{
	return !strcmp(mounted->fsid, tracing->fsid) &&
	       (!tracing->domain || !strcmp(mounted->domain, tracing->domain));
}

static int add_present(const struct object *object, void *arg)
{
	struct tracing *tracing = arg;
	struct object_file file;
	struct presence map;

	if (object->volume[0] != 'I' || strcmp(object->volume + 1, tracing->volume) ||
	    (tracing->domain && strcmp(object->blob, tracing->fsid)) ||
	    object_open(object, &file))
		return 0;
	if (!object_map(&tracing->dir, object, &file, &map)) {
		tracing->present += presence_bytes(&map);
		presence_free(&map);
	}
	close(file.fd);
	return 0;
}

/* For a mounted image, the module knows best. */
static void find_present(struct tracing *tracing, const struct cli_values *values)
{
	bool mounted = false;
	size_t i;

	for (i = 0; i < tracing->status.mount_count; i++) {
		const struct mounted *mount = &tracing->status.mounts[i];

		if (!is_our_mount(tracing, mount))
			continue;
		mounted = true;
		tracing->present += mount->present;
		if (!tracing->domain && strcmp(mount->domain, "-"))
			tracing->domain = tracing->own = text_copy(mount->domain);
	}
	snprintf(tracing->volume, sizeof(tracing->volume), "erofs,%s",
		 tracing->domain ? tracing->domain : tracing->fsid);
	if (mounted || cachedir_open(&tracing->dir, values->cache, values->proc))
		return;
	cachedir_each(&tracing->dir, add_present, tracing);
	cachedir_close(&tracing->dir);
}

static int begin(struct tracing *tracing, const struct cli_values *values)
{
	const char *missing;
	char text[HUMAN_SIZE];
	int err = status_load(&tracing->status, values->proc, &missing);

	tracing->proc = values->proc;
	if (err)
		return status_explain(values->proc, missing, err);
	find_present(tracing, values);
	if (tracing->present)
		log_warn("image %s: %s are in the cache already, and reads of them are not recorded: "
			 "for a whole trace, unmount it and remove its blobs with 'erofs-od drop'",
			 tracing->fsid, human_bytes(tracing->present, text));
	return OD_EXIT_OK;
}

/* --- what is read --- */

/* Other blobs of the domain do not belong to the image. */
static bool is_ours(const struct tracing *tracing, const char *blob)
{
	const struct status *status = &tracing->status;
	size_t i;

	if (!tracing->domain || !strcmp(blob, tracing->fsid))
		return true;
	for (i = 0; i < status->uses.rows; i++)
		if (!strcmp(table_get(&status->uses, i, "fsid"), tracing->fsid) &&
		    !strcmp(table_get(&status->uses, i, "domain"), tracing->domain) &&
		    !strcmp(table_get(&status->uses, i, "blob"), blob))
			return true;
	return false;
}

/* The event has the name of the cache file, truncated if it is long. */
static bool is_cut_name(const char *blob, const char *name)
{
	char file[NAME_MAX + 1];

	return od_key_file_name((const uint8_t *)blob, strlen(blob), file) > 0 &&
	       !strncmp(file, name, RECORDER_NAME_MAX) &&
	       (strlen(name) == RECORDER_NAME_MAX || strlen(file) == strlen(name));
}

static int find_known(const struct tracing *tracing, const char *name)
{
	unsigned int i;

	for (i = 0; i < tracing->trace.nr_blobs; i++)
		if (is_cut_name(tracing->trace.blobs[i].name, name))
			return (int)i;
	return -ENOENT;
}

/* The module reports the size of a blob while it is open. */
static int find_open(struct tracing *tracing, const char *name)
{
	const struct table *blobs = &tracing->status.blobs;
	const char *missing, *blob;
	size_t i;

	if (!tracing->loaded) {
		status_free(&tracing->status);
		if (status_load(&tracing->status, tracing->proc, &missing))
			return -ENOENT;
		tracing->loaded = true;
	}
	for (i = 0; i < blobs->rows; i++) {
		blob = table_get(blobs, i, "blob");
		if (strcmp(table_get(blobs, i, "volume"), tracing->volume) ||
		    !is_cut_name(blob, name))
			continue;
		return is_ours(tracing, blob) ?
		       trace_blob(&tracing->trace, blob, table_number(blobs, i, "size")) : -EXDEV;
	}
	return -ENOENT;
}

static void on_read(void *arg, const char *name, uint64_t start, uint64_t len)
{
	struct tracing *tracing = arg;
	int blob = find_known(tracing, name);

	if (blob == -ENOENT)
		blob = find_open(tracing, name);
	if (blob == -EXDEV)
		return;
	if (blob < 0)
		tracing->unknown++;
	else if (trace_add(&tracing->trace, (unsigned int)blob, start, start + len) == -E2BIG)
		tracing->full = true;
}

/* --- the command --- */

static const int signals[] = { SIGCHLD, SIGINT, SIGTERM, SIGHUP, SIGQUIT };

static void block_signals(sigset_t *set, sigset_t *old)
{
	size_t i;

	sigemptyset(set);
	for (i = 0; i < sizeof(signals) / sizeof(*signals); i++)
		sigaddset(set, signals[i]);
	sigprocmask(SIG_BLOCK, set, old);
}

static pid_t start_command(char **argv, const sigset_t *mask)
{
	pid_t pid = fork();

	if (pid)
		return pid;
	sigprocmask(SIG_SETMASK, mask, NULL);
	execvp(argv[0], argv);
	log_err("%s: %s", argv[0], strerror(errno));
	_exit(127);
}

static void tell_end(const char *command, int status)
{
	if (WIFSIGNALED(status))
		log_warn("%s: %s", command, strsignal(WTERMSIG(status)));
	else if (WEXITSTATUS(status))
		log_warn("%s: exited with status %d", command, WEXITSTATUS(status));
}

/* What ends this command ends that one; what was read until then is a trace, too. */
static int run_command(struct tracing *tracing, char **argv)
{
	const struct timespec look = { .tv_nsec = LOOK_MS * 1000000L };
	int status, number, err = 0;
	siginfo_t info;
	sigset_t set, old;
	pid_t pid;

	/* If the caller ignored SIGCHLD, there would be no status to wait for. */
	signal(SIGCHLD, SIG_DFL);
	block_signals(&set, &old);
	pid = start_command(argv, &old);
	if (pid < 0) {
		log_err("%s: %s", argv[0], strerror(errno));
		return -errno;
	}
	while (!waitpid(pid, &status, WNOHANG)) {
		number = sigtimedwait(&set, &info, &look);
		/* What comes from the terminal the command gets, too. */
		if (number > 0 && number != SIGCHLD && info.si_code != SI_KERNEL)
			kill(pid, number);
		if (!err)
			err = recorder_drain(&tracing->recorder);
		tracing->loaded = false;
	}
	tell_end(argv[0], status);
	if (!err)
		err = recorder_drain(&tracing->recorder);
	if (WIFEXITED(status) && WEXITSTATUS(status) == 127)
		err = -ENOENT;
	return err;
}

/* --- the trace --- */

static int write_trace(const struct tracing *tracing)
{
	char *tmp;
	FILE *out;
	int err;

	if (asprintf(&tmp, "%s.tmp", tracing->path) < 0)
		return -ENOMEM;
	out = fopen(tmp, "we");
	err = out ? trace_print(&tracing->trace, out) : -errno;
	if (out && (fflush(out) || fsync(fileno(out))) && !err)
		err = -errno;
	if (out && fclose(out) && !err)
		err = -errno;
	if (!err && rename(tmp, tracing->path))
		err = -errno;
	if (err) {
		log_err("%s: %s", tracing->path, strerror(-err));
		unlink(tmp);
	}
	free(tmp);
	return err;
}

static int finish(struct tracing *tracing)
{
	const struct trace *trace = &tracing->trace;
	char text[HUMAN_SIZE];

	if (tracing->recorder.lost)
		log_warn("some reads could not be recorded: they came too fast");
	if (tracing->unknown)
		log_warn("%u reads of blobs that were closed at once are left out", tracing->unknown);
	if (tracing->full)
		log_warn("a trace has %u ranges at most: the rest is left out", TRACE_RANGES_MAX);
	if (!trace->nr_ranges) {
		log_err("image %s: nothing was fetched meanwhile, so there is nothing to record: %s",
			tracing->fsid, tracing->present ? "it is in the cache already" :
			"the command read nothing of it, or the page cache had it");
		return OD_EXIT_FAILED;
	}
	if (write_trace(tracing))
		return OD_EXIT_FAILED;
	printf("%s: %s in %u ranges\n", tracing->path, human_bytes(trace_bytes(trace), text),
	       trace->nr_ranges);
	return fflush(stdout) ? OD_EXIT_FAILED : OD_EXIT_OK;
}

static int record(struct tracing *tracing, const struct cli_values *values)
{
	struct recorder *recorder = &tracing->recorder;
	int err;

	recorder->volume = tracing->volume;
	recorder->read = on_read;
	recorder->arg = tracing;
	err = recorder_begin(recorder, values->sysroot ? values->sysroot : "");
	if (!err)
		err = run_command(tracing, values->args + 1);
	recorder_end(recorder);
	return err ? OD_EXIT_FAILED : finish(tracing);
}

int command_trace(int argc, char **argv)
{
	struct tracing tracing = { 0 };
	struct cli_values values;
	int result;

	cli_parse(&cli, argc, argv, &values, &tracing);
	result = begin(&tracing, &values);
	if (result == OD_EXIT_OK)
		result = record(&tracing, &values);
	status_free(&tracing.status);
	trace_free(&tracing.trace);
	free(tracing.path);
	free(tracing.own);
	return result;
}
