// SPDX-License-Identifier: GPL-2.0-only
#include <errno.h>
#include <string.h>
#include <unistd.h>

#include "asker.h"
#include "cli.h"
#include "command.h"
#include "remove.h"
#include "report.h"

/**
 * struct refresh - state of the command
 * @asker: the sources
 * @dir: the cache
 * @bound: the module has the cache bound
 * @report: results
 */
struct refresh {
	struct asker asker;
	struct cachedir dir;
	bool bound;
	struct report report;
};

static const struct argp_option options[] = { ASKER_OPTIONS, { 0 } };

static error_t parse_option(void *input, int key, char *text, struct argp_state *state)
{
	struct refresh *refresh = input;

	return asker_parse(&refresh->asker, key, text, state);
}

static void check(void *input, const struct cli_values *values, struct argp_state *state)
{
	struct refresh *refresh = input;

	(void)values;
	if (!refresh->asker.sources)
		argp_error(state, "missing option --source");
}

static const struct cli cli = {
	.doc = "Compare the cached blobs with their source, and remove those that have changed and "
	       "are not in use.",
	.shared = CLI_JSON | CLI_PROC | CLI_CACHE,
	.options = options,
	.parse = parse_option,
	.check = check,
};

static void drop_stale(struct refresh *refresh, const struct object *object, uint64_t bytes)
{
	int err = object_remove(&refresh->dir, object, refresh->bound);

	if (!err || err == -ENOENT)
		report_done(&refresh->report, object, "stale, dropped", bytes);
	else if (err == -EBUSY)
		report_failed(&refresh->report, object, "stale, in use",
			      "the source has another version; unmount the image");
	else
		report_failed(&refresh->report, object, "stale, not dropped", "%s",
			      strerror(-err));
}

static void compare(struct refresh *refresh, const struct object *object,
		    const struct presence *map)
{
	struct version now, kept;
	uint64_t bytes = presence_bytes(map);
	int err = asker_ask(&refresh->asker, object->blob, &now);

	version_read(&kept, map->head.size, map->head.validator);
	if (err == -ENOENT)
		report_failed(&refresh->report, object, "missing", "no source has it");
	else if (err)
		report_failed(&refresh->report, object, "not compared", "%s",
			      refresh->asker.fetcher.why);
	else if (now.size != kept.size)
		drop_stale(refresh, object, bytes);
	else if (!*map->head.validator || !version_is_named(&now))
		/* The same size does not prove it is the same version. */
		report_done(&refresh->report, object, version_is_named(&now) ?
			    "version not recorded" : "source has no version", bytes);
	else if (!version_same(&kept, &now, source_is_mirrored(&refresh->asker.fetcher,
							       object->blob)))
		drop_stale(refresh, object, bytes);
	else
		report_done(&refresh->report, object, "fresh", bytes);
}

/* Without a map that the module would trust, the version is unknown. */
static int visit(const struct object *object, void *arg)
{
	struct refresh *refresh = arg;
	struct object_file file;
	struct presence map;
	int err;

	/* A blob that was just opened may have no map yet. */
	if (refresh->bound)
		object_commit(&refresh->dir, object);
	err = object_open(object, &file);
	if (!err) {
		err = object_map(&refresh->dir, object, &file, &map);
		close(file.fd);
	}
	if (!err) {
		compare(refresh, object, &map);
		presence_free(&map);
	} else if (err == -ENOENT || err == -EUCLEAN || err == -ESTALE) {
		report_done(&refresh->report, object, "no valid map", 0);
	} else {
		report_failed(&refresh->report, object, "not compared", "%s", strerror(-err));
	}
	return 0;
}

static int run(struct refresh *refresh, const struct cli_values *values)
{
	int err = cachedir_open(&refresh->dir, values->cache, values->proc);

	if (!err)
		err = asker_begin(&refresh->asker);
	if (err)
		return err;
	refresh->bound = cachedir_is_bound(&refresh->dir);
	return cachedir_each(&refresh->dir, visit, refresh);
}

int command_refresh(int argc, char **argv)
{
	struct refresh refresh = { 0 };
	struct cli_values values;
	int status;

	cli_parse(&cli, argc, argv, &values, &refresh);
	report_init(&refresh.report, values.json);
	status = report_end(&refresh.report, run(&refresh, &values));
	asker_end(&refresh.asker);
	cachedir_close(&refresh.dir);
	return status;
}
