// SPDX-License-Identifier: GPL-2.0-only
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/xattr.h>
#include <unistd.h>

#include "command.h"
#include "copy.h"
#include "log.h"
#include "report.h"

enum option_key {
	KEY_PROC = 0x100,
};

/**
 * struct backup - the command at work
 * @given: directory of the cache
 * @target: directory of the copy
 * @proc: where /proc is
 * @json: for programs
 * @from: the cache
 * @bound: the module has it bound
 * @to: the copy
 * @report: what was done
 */
struct backup {
	const char *given;
	const char *target;
	const char *proc;
	bool json;
	struct cachedir from;
	bool bound;
	struct cachedir to;
	struct report report;
};

static const struct argp_option options[] = {
	{ "json", 'j', NULL, 0, "For programs: what became of each blob, as JSON", 0 },
	{ "proc", KEY_PROC, "DIR", 0, "Where /proc is", 0 },
	{ 0 },
};

static error_t parse_option(int key, char *text, struct argp_state *state)
{
	struct backup *backup = state->input;

	switch (key) {
	case KEY_PROC:
		backup->proc = text;
		break;
	case 'j':
		backup->json = true;
		break;
	case ARGP_KEY_ARG:
		if (state->arg_num > 1)
			argp_error(state, "unexpected argument '%s'", text);
		*(state->arg_num ? &backup->target : &backup->given) = text;
		break;
	case ARGP_KEY_END:
		if (!backup->target)
			argp_error(state, backup->given ? "no TARGET is given" : "no DIR is given");
		break;
	default:
		return ARGP_ERR_UNKNOWN;
	}
	return 0;
}

static const struct argp argp = {
	.options = options,
	.parser = parse_option,
	.args_doc = "DIR TARGET",
	.doc = "Copy what is known to be right in the cache in DIR to the directory TARGET, which "
	       "becomes a cache like it.",
};

/* What is there already may be a mount point, but no cache. */
static int make_target(const char *path)
{
	static const char *const folders[] = { "cache", "graveyard", "maps" };
	int root, err = 0;
	size_t i;

	if (mkdir(path, 0700) && errno != EEXIST)
		return -errno;
	root = open(path, O_PATH | O_DIRECTORY | O_CLOEXEC);
	if (root < 0)
		return -errno;
	for (i = 0; i < 3 && !err; i++)
		err = mkdirat(root, folders[i], 0700) ? -errno : 0;
	close(root);
	return err;
}

/* A directory of the copy, created when it is first wanted. */
static int enter(int at, const char *name)
{
	if (mkdirat(at, name, 0700) && errno != EEXIST)
		return -errno;
	at = openat(at, name, O_RDONLY | O_DIRECTORY | O_CLOEXEC | O_NOFOLLOW);
	return at < 0 ? -errno : at;
}

/* Without its mark the directory of a volume is not trusted. */
static int mark_volume(const struct backup *backup, const char *name, int volume)
{
	int from = openat(backup->from.cache, name, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	char value[256];
	ssize_t n = from < 0 ? -1 : fgetxattr(from, CACHE_XATTR, value, sizeof(value));
	int err = n < 0 && errno != ENODATA ? -errno : 0;

	if (n >= 0 && fsetxattr(volume, CACHE_XATTR, value, (size_t)n, 0))
		err = -errno;
	if (from >= 0)
		close(from);
	return err;
}

static int enter_fanout(const struct backup *backup, const struct object *object)
{
	int volume = enter(backup->to.cache, object->volume), fanout, err;

	if (volume < 0)
		return volume;
	err = mark_volume(backup, object->volume, volume);
	fanout = err ? err : enter(volume, object->fanout);
	close(volume);
	return fanout;
}

static int copy_into(struct backup *backup, const struct object *object,
		     const struct object_file *file, struct presence *map)
{
	int folder = enter_fanout(backup, object), err;

	if (folder < 0)
		return folder;
	err = copy_object(&backup->from, &backup->to, folder, object, file, map);
	close(folder);
	return err;
}

static void tell(struct backup *backup, const struct object *object, int err, uint64_t bytes)
{
	switch (err) {
	case 0:
		report_done(&backup->report, object, "copied", bytes);
		break;
	case -ENOENT:
	case -EUCLEAN:
	case -ESTALE:
		/* The module would not trust it either. */
		report_done(&backup->report, object, "left out: no valid map", 0);
		break;
	case -EOPNOTSUPP:
		report_failed(&backup->report, object, "not copied",
			      "the file system of %s does not tell inode generations",
			      backup->to.path);
		break;
	default:
		report_failed(&backup->report, object, "not copied", "%s", strerror(-err));
	}
}

/* A target without space, or of the wrong kind, is so for the next blob, too. */
static int visit(const struct object *object, void *arg)
{
	struct backup *backup = arg;
	struct object_file file;
	struct presence map = { 0 };
	uint64_t bytes = 0;
	int err;

	if (backup->bound)
		object_commit(&backup->from, object);
	err = object_open(object, &file);
	if (!err) {
		err = object_map(&backup->from, object, &file, &map);
		if (!err) {
			err = copy_into(backup, object, &file, &map);
			bytes = presence_bytes(&map);
			presence_free(&map);
		}
		close(file.fd);
	}
	tell(backup, object, err, bytes);
	return err == -ENOSPC || err == -EOPNOTSUPP ? err : 0;
}

static int run(struct backup *backup)
{
	int err = cachedir_open(&backup->from, backup->given, backup->proc);

	if (err)
		return err;
	backup->bound = cachedir_is_bound(&backup->from);
	err = make_target(backup->target);
	if (err) {
		log_err("%s: %s", backup->target, strerror(-err));
		return err;
	}
	err = cachedir_open(&backup->to, backup->target, backup->proc);
	if (!err)
		err = cachedir_each(&backup->from, visit, backup);
	/* The directories, too. */
	if (!err && syncfs(backup->to.root)) {
		err = -errno;
		log_err("%s: %s", backup->target, strerror(-err));
	}
	return err;
}

int command_backup(int argc, char **argv)
{
	struct backup backup = { .proc = "/proc", .to = { .root = -1, .cache = -1, .maps = -1 } };
	int status;

	argp_parse(&argp, argc, argv, 0, NULL, &backup);
	report_init(&backup.report, backup.json);
	status = report_end(&backup.report, run(&backup));
	cachedir_close(&backup.to);
	cachedir_close(&backup.from);
	return status;
}
