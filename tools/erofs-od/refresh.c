// SPDX-License-Identifier: GPL-2.0-only
#include <errno.h>
#include <string.h>
#include <unistd.h>

#include "asker.h"
#include "command.h"
#include "remove.h"
#include "report.h"

enum option_key {
	KEY_DIR = 0x100,
	KEY_PROC,
};

/**
 * struct refresh - the command at work
 * @asker: the sources
 * @given: directory of the cache on the command line, or NULL
 * @proc: where /proc is
 * @json: for programs
 * @dir: the cache
 * @bound: the module has it bound
 * @report: what was done
 */
struct refresh {
	struct asker asker;
	const char *given;
	const char *proc;
	bool json;
	struct cachedir dir;
	bool bound;
	struct report report;
};

static const struct argp_option options[] = {
	ASKER_OPTIONS,
	{ "dir", KEY_DIR, "CACHE", 0, "Directory of the cache (default: the one that is served, or "
	  CACHEDIR_DEFAULT ")", 0 },
	{ "json", 'j', NULL, 0, "For programs: what became of each blob, as JSON", 0 },
	{ "proc", KEY_PROC, "DIR", 0, "Where /proc is", 0 },
	{ 0 },
};

static error_t parse_option(int key, char *text, struct argp_state *state)
{
	struct refresh *refresh = state->input;

	switch (key) {
	case KEY_DIR:
		refresh->given = text;
		break;
	case KEY_PROC:
		refresh->proc = text;
		break;
	case 'j':
		refresh->json = true;
		break;
	case ARGP_KEY_ARG:
		argp_error(state, "unexpected argument '%s'", text);
		break;
	case ARGP_KEY_END:
		if (!refresh->asker.sources)
			argp_error(state, "no --source is given");
		break;
	default:
		return asker_parse(&refresh->asker, key, text, state);
	}
	return 0;
}

static const struct argp argp = {
	.options = options,
	.parser = parse_option,
	.doc = "Compare the blobs in the cache with what their source has now, and remove those that "
	       "changed and that nothing uses.",
};

static void drop_stale(struct refresh *refresh, const struct object *object, uint64_t bytes)
{
	int err = object_remove(&refresh->dir, object, refresh->bound);

	if (!err || err == -ENOENT)
		report_done(&refresh->report, object, "stale, dropped", bytes);
	else if (err == -EBUSY)
		report_failed(&refresh->report, object, "stale, in use",
			      "the source has another version; unmount what uses it");
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
		/* The size alone says little, and nobody is to be told that all is well. */
		report_done(&refresh->report, object, version_is_named(&now) ?
			    "no version was kept" : "the source tells no version", bytes);
	else if (!version_same(&kept, &now, source_is_mirrored(&refresh->asker.fetcher,
							       object->blob)))
		drop_stale(refresh, object, bytes);
	else
		report_done(&refresh->report, object, "fresh", bytes);
}

/* What the module would not trust either is of no version. */
static int visit(const struct object *object, void *arg)
{
	struct refresh *refresh = arg;
	struct object_file file;
	struct presence map;
	int err;

	/* Or the map of a blob that was just opened would still be to come. */
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

static int run(struct refresh *refresh)
{
	int err = cachedir_open(&refresh->dir, refresh->given, refresh->proc);

	if (!err)
		err = asker_begin(&refresh->asker);
	if (err)
		return err;
	refresh->bound = cachedir_is_bound(&refresh->dir);
	return cachedir_each(&refresh->dir, visit, refresh);
}

int command_refresh(int argc, char **argv)
{
	struct refresh refresh = { .proc = "/proc" };
	int status;

	argp_parse(&argp, argc, argv, 0, NULL, &refresh);
	report_init(&refresh.report, refresh.json);
	status = report_end(&refresh.report, run(&refresh));
	asker_end(&refresh.asker);
	cachedir_close(&refresh.dir);
	return status;
}
