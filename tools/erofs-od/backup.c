// SPDX-License-Identifier: GPL-2.0-only
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/xattr.h>
#include <unistd.h>

#include "cli.h"
#include "command.h"
#include "copy.h"
#include "log.h"
#include "report.h"

/**
 * struct backup - state of the command
 * @from: the cache
 * @bound: the module has the cache bound
 * @to: the copy
 * @report: results
 */
struct backup {
	struct cachedir from;
	bool bound;
	struct cachedir to;
	struct report report;
};

static const struct cli cli = {
	.doc = "Copy the valid data of the cache in DIR to the directory TARGET, which becomes a "
	       "cache of its own.",
	.shared = CLI_JSON | CLI_PROC,
	.args_doc = "DIR TARGET",
	.required = { "DIR", "TARGET" },
};

/* An existing directory, say a mount point, will do; an existing cache will not. */
static int make_target(const char *path)
{
	static const char *const names[] = { "cache", "graveyard", "maps" };
	int root, err = 0;
	size_t i;

	if (mkdir(path, 0700) && errno != EEXIST)
		return -errno;
	root = open(path, O_PATH | O_DIRECTORY | O_CLOEXEC);
	if (root < 0)
		return -errno;
	for (i = 0; i < 3 && !err; i++)
		err = mkdirat(root, names[i], 0700) ? -errno : 0;
	close(root);
	return err;
}

/* Opens a directory of the copy, creating it when it is first needed. */
static int enter(int at, const char *name)
{
	if (mkdirat(at, name, 0700) && errno != EEXIST)
		return -errno;
	at = openat(at, name, O_RDONLY | O_DIRECTORY | O_CLOEXEC | O_NOFOLLOW);
	return at < 0 ? -errno : at;
}

/* The module does not trust a volume's directory without this xattr. */
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
	int dir = enter_fanout(backup, object), err;

	if (dir < 0)
		return dir;
	err = copy_object(&backup->from, &backup->to, dir, object, file, map);
	close(dir);
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
		/* The module would not trust the copy either. */
		report_done(&backup->report, object, "left out: no valid map", 0);
		break;
	case -EOPNOTSUPP:
		report_failed(&backup->report, object, "not copied",
			      "the file system of %s has no inode generations",
			      backup->to.path);
		break;
	default:
		report_failed(&backup->report, object, "not copied", "%s", strerror(-err));
	}
}

/* A target that is full or unsuitable stops the copy: the next blob would fail, too. */
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

static int run(struct backup *backup, const struct cli_values *values)
{
	const char *target = values->args[1];
	int err = cachedir_open(&backup->from, values->args[0], values->proc);

	if (err)
		return err;
	backup->bound = cachedir_is_bound(&backup->from);
	err = make_target(target);
	if (err) {
		log_err("%s: %s", target, strerror(-err));
		return err;
	}
	err = cachedir_open(&backup->to, target, values->proc);
	if (!err)
		err = cachedir_each(&backup->from, visit, backup);
	/* Includes the directories. */
	if (!err && syncfs(backup->to.root)) {
		err = -errno;
		log_err("%s: %s", target, strerror(-err));
	}
	return err;
}

int command_backup(int argc, char **argv)
{
	struct cli_values values;
	struct backup backup = { .to = { .root = -1, .cache = -1, .maps = -1 } };
	int status;

	cli_parse(&cli, argc, argv, &values, &backup);
	report_init(&backup.report, values.json);
	status = report_end(&backup.report, run(&backup, &values));
	cachedir_close(&backup.to);
	cachedir_close(&backup.from);
	return status;
}
