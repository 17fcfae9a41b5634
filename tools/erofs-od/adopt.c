// SPDX-License-Identifier: GPL-2.0-only
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "asker.h"
#include "command.h"
#include "log.h"
#include "report.h"
#include "scan.h"

enum option_key {
	KEY_PROC = 0x100,
	KEY_YES,
};

/**
 * struct adopt - the command at work
 * @asker: sources that say which version the blobs are of, if there are any
 * @given: directory of the cache
 * @proc: where /proc is
 * @yes: the operator knows what it means
 * @json: for programs
 * @dir: the cache
 * @waiting: files that could be adopted, without @yes
 * @report: what was done
 */
struct adopt {
	struct asker asker;
	const char *given;
	const char *proc;
	bool yes;
	bool json;
	struct cachedir dir;
	unsigned int waiting;
	struct report report;
};

static const struct argp_option options[] = {
	{ "yes", KEY_YES, NULL, 0, "The data in the files is right and complete: write their maps", 0 },
	ASKER_OPTIONS,
	{ "json", 'j', NULL, 0, "For programs: what became of each blob, as JSON", 0 },
	{ "proc", KEY_PROC, "DIR", 0, "Where /proc is", 0 },
	{ 0 },
};

static error_t parse_option(int key, char *text, struct argp_state *state)
{
	struct adopt *adopt = state->input;

	switch (key) {
	case KEY_YES:
		adopt->yes = true;
		break;
	case KEY_PROC:
		adopt->proc = text;
		break;
	case 'j':
		adopt->json = true;
		break;
	case ARGP_KEY_ARG:
		if (adopt->given)
			argp_error(state, "unexpected argument '%s'", text);
		adopt->given = text;
		break;
	case ARGP_KEY_NO_ARGS:
		argp_error(state, "no DIR is given");
		break;
	default:
		return asker_parse(&adopt->asker, key, text, state);
	}
	return 0;
}

static const struct argp argp = {
	.options = options,
	.parser = parse_option,
	.args_doc = "DIR",
	.doc = "Have the cache files of the cache in DIR trusted that the module would throw away, "
	       "because nothing says what is in them: from an older version, or copied by other "
	       "means than 'erofs-od backup'.",
};

static const char risk[] =
	"a cache file says by its holes what is not in it, and nothing says that the rest is what "
	"the source has: after a crash or a careless copy there are zeroes where data should be, "
	"and they are served as data from then on. If you know that the files were left in order "
	"by a running system, say --yes; else 'erofs-od drop' them, and they are fetched again";

static int found(uint64_t from, uint64_t to, void *arg)
{
	return scan_add(arg, from, to);
}

/* Data that has not reached the device yet is none to a reader after a crash. */
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

/* With sources, what they have now is what the file is taken to be a part of. */
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
			      "its file system does not tell inode generations");
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
			      "it is not marked as a cache file that was left in order" :
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

static int need_maps(struct cachedir *dir)
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

static int run(struct adopt *adopt)
{
	int err = cachedir_open(&adopt->dir, adopt->given, adopt->proc);

	if (!err && cachedir_is_bound(&adopt->dir)) {
		log_err("%s: the module has this cache bound: stop the daemon and unmount all that "
			"uses it first", adopt->dir.path);
		err = -EBUSY;
	}
	if (!err && adopt->yes)
		err = need_maps(&adopt->dir);
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
	struct adopt adopt = { .proc = "/proc" };
	int status;

	argp_parse(&argp, argc, argv, 0, NULL, &adopt);
	report_init(&adopt.report, adopt.json);
	status = report_end(&adopt.report, run(&adopt));
	asker_end(&adopt.asker);
	cachedir_close(&adopt.dir);
	return status;
}
