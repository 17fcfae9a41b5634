// SPDX-License-Identifier: GPL-2.0-only
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "asker.h"
#include "cli.h"
#include "command.h"
#include "log.h"
#include "report.h"
#include "scan.h"

enum option_key {
	KEY_YES = 0x100,
};

/**
 * struct adopt - state of the command
 * @asker: sources to ask for the version of each blob; may be empty
 * @yes: the operator accepts the risk
 * @dir: the cache
 * @waiting: without @yes: number of files that could be adopted
 * @report: results
 */
struct adopt {
	struct asker asker;
	bool yes;
	struct cachedir dir;
	unsigned int waiting;
	struct report report;
};

static const struct argp_option options[] = {
	{ "yes", KEY_YES, NULL, 0, "The data in the files is right and complete: write their maps", 0 },
	ASKER_OPTIONS,
	{ 0 },
};

static error_t parse_option(void *input, int key, char *text, struct argp_state *state)
{
	struct adopt *adopt = input;

	if (key != KEY_YES)
		return asker_parse(&adopt->asker, key, text, state);
	adopt->yes = true;
	return 0;
}

static const struct cli cli = {
	.doc = "Write presence maps for the files of the cache in DIR that have none, which the "
	       "module would otherwise discard: files of an older version, or copied by other means "
	       "than 'erofs-od backup'.",
	.shared = CLI_JSON | CLI_PROC,
	.options = options,
	.args_doc = "DIR",
	.required = { "DIR" },
	.parse = parse_option,
};

static const char risk[] =
	"the holes of a cache file show what is missing, but nothing proves that the rest is what "
	"the source has. After a crash or a careless copy it may contain zeroes in place of data, "
	"which would be served as data. If you know that the files were closed by a running "
	"system, use --yes; otherwise remove them with 'erofs-od drop'";

static int found(uint64_t from, uint64_t to, void *arg)
{
	return scan_add(arg, from, to);
}

/* A map must not list data that has not reached the device. */
static int scan(const struct object_file *file, struct od_extents *runs)
{
	uint64_t length = object_length(file->size);
	int err;

	if (fsync(file->fd))
		return -errno;
	err = scan_data(file->fd, 0, length, found, runs);
	if (!err && file->size < length)
		err = scan_add(runs, file->size, length);
	return !err && runs->nr > OD_MAPFILE_RUNS_MAX ? -EFBIG : err;
}

static int write_map(struct adopt *adopt, const struct object *object,
		     const struct object_file *file, const char *validator, uint64_t *bytes)
{
	struct presence map = { .head.seq = 1, .head.size = file->size };
	struct od_extents runs = { 0 };
	int err = presence_generation(file->fd, &map.head.generation);

	if (!err)
		err = scan(file, &runs);
	if (!err) {
		map.head.ino = file->st.st_ino;
		map.head.flags = OD_MAPFILE_CLOSED;
		map.head.mtime_sec = file->st.st_mtim.tv_sec;
		map.head.mtime_nsec = (uint32_t)file->st.st_mtim.tv_nsec;
		map.head.nr_runs = (uint32_t)runs.nr;
		strcpy(map.head.volume, object->volume);
		strcpy(map.head.name, object->name);
		strcpy(map.head.validator, validator);
		map.runs = runs.e;
		*bytes = presence_bytes(&map);
		err = presence_write(adopt->dir.maps, &map);
	}
	free(runs.e);
	return err;
}

/* With sources, the file is assumed to have the version that they have now. */
static int ask_version(struct adopt *adopt, const struct object *object,
		       const struct object_file *file, char validator[static VALIDATOR_MAX + 1])
{
	struct version version;
	int err;

	*validator = '\0';
	if (!adopt->asker.sources)
		return 0;
	err = asker_ask(&adopt->asker, object->blob, &version);
	if (err) {
		report_failed(&adopt->report, object, "not adopted", "%s",
			      adopt->asker.fetcher.why);
		return err;
	}
	version_write(&version, validator);
	if (version.size == file->size)
		return 0;
	report_failed(&adopt->report, object, "not adopted",
		      "the source has %" PRIu64 " bytes, the cache file is for %" PRIu64, version.size,
		      file->size);
	return -ESTALE;
}

static void adopt_file(struct adopt *adopt, const struct object *object,
		       const struct object_file *file)
{
	char validator[VALIDATOR_MAX + 1];
	uint64_t bytes = 0;
	int err;

	if (ask_version(adopt, object, file, validator))
		return;
	err = write_map(adopt, object, file, validator, &bytes);
	if (err == -EOPNOTSUPP)
		report_failed(&adopt->report, object, "not adopted",
			      "the file system has no inode generations");
	else if (err)
		report_failed(&adopt->report, object, "not adopted", "%s", strerror(-err));
	else
		report_done(&adopt->report, object, "adopted", bytes);
}

static int visit(const struct object *object, void *arg)
{
	struct adopt *adopt = arg;
	struct object_file file;
	struct presence map;
	int err = object_open(object, &file);

	if (err) {
		report_failed(&adopt->report, object, "not adopted", "%s", err == -EUCLEAN ?
			      "not marked as a cleanly closed cache file" :
			      strerror(-err));
		return 0;
	}
	err = object_map(&adopt->dir, object, &file, &map);
	if (!err)
		presence_free(&map);
	else if (err != -ENOENT && err != -EUCLEAN && err != -ESTALE)
		report_failed(&adopt->report, object, "not adopted", "%s", strerror(-err));
	else if (!adopt->yes)
		adopt->waiting++;
	else
		adopt_file(adopt, object, &file);
	close(file.fd);
	return 0;
}

static int create_maps(struct cachedir *dir)
{
	if (dir->maps >= 0)
		return 0;
	if (!mkdirat(dir->root, "maps", 0700))
		dir->maps = openat(dir->root, "maps", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (dir->maps >= 0 && !fsync(dir->root))
		return 0;
	log_err("%s/maps: %s", dir->path, strerror(errno));
	return -errno;
}

static int run(struct adopt *adopt, const struct cli_values *values)
{
	int err = cachedir_open(&adopt->dir, values->args[0], values->proc);

	if (!err && cachedir_is_bound(&adopt->dir)) {
		log_err("%s: cache is bound: stop the daemon and unmount all images first", adopt->dir.path);
		err = -EBUSY;
	}
	if (!err && adopt->yes)
		err = create_maps(&adopt->dir);
	if (!err)
		err = asker_begin(&adopt->asker);
	if (!err)
		err = cachedir_each(&adopt->dir, visit, adopt);
	if (!err && adopt->waiting) {
		log_err("%u cache files could be adopted: %s", adopt->waiting, risk);
		err = -EPERM;
	}
	return err;
}

int command_adopt(int argc, char **argv)
{
	struct adopt adopt = { 0 };
	struct cli_values values;
	int status;

	cli_parse(&cli, argc, argv, &values, &adopt);
	report_init(&adopt.report, values.json);
	status = report_end(&adopt.report, run(&adopt, &values));
	asker_end(&adopt.asker);
	cachedir_close(&adopt.dir);
	return status;
}
