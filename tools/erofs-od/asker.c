// SPDX-License-Identifier: GPL-2.0-only
#include "asker.h"

#include <errno.h>
#include <string.h>
#include <unistd.h>

#include "command.h"
#include "http.h"
#include "log.h"
#include "name.h"
#include "stats.h"

#define RETRY_MS	10000
#define PAUSE_US	500000
#define TIMEOUT_MS	30000
#define LOW_SPEED	1024
#define LOW_SPEED_S	10

/** asker_parse - handle one of ASKER_OPTIONS */
error_t asker_parse(struct asker *asker, int key, char *text, struct argp_state *state)
{
	int err;

	switch (key) {
	case 's':
		err = source_add(&asker->sources, text);
		if (err)
			argp_failure(state, OD_EXIT_FAILED, -err, "source %s", text);
		return 0;
	case ASKER_KEY_CACERT:
		asker->options.cacert = text;
		return 0;
	}
	return ARGP_ERR_UNKNOWN;
}

/** asker_begin - Return: 0 or a negative errno, which was logged; call asker_end() in any case */
int asker_begin(struct asker *asker)
{
	int err = http_global_init();

	asker->options.retry_ms = RETRY_MS;
	asker->options.timeout_ms = TIMEOUT_MS;
	asker->options.low_speed = LOW_SPEED;
	asker->options.low_speed_s = LOW_SPEED_S;
	asker->fetcher.options = &asker->options;
	asker->fetcher.stop = &asker->stop;
	if (err)
		log_err("failed to start libcurl: %s", strerror(-err));
	return err;
}

/* Asks one source, retrying after temporary failures. */
static int ask_source(struct asker *asker, struct source *source, const char *name,
		      struct version *version)
{
	struct fetcher *fetcher = &asker->fetcher;
	uint64_t end = clock_ms() + asker->options.retry_ms;
	int err = 0;

	/* Kept for the next source and blob: only one kind of source needs a connection. */
	if (source->ops->begin && !fetcher->connection)
		err = source->ops->begin(fetcher);

	if (err)
		return fetcher_fail(fetcher, err, "out of memory");
	for (;;) {
		err = source->ops->open(source, fetcher, name, version);
		if (!err || fetcher->hope != HOPE_LATER || clock_ms() > end)
			break;
		usleep(PAUSE_US);
	}
	return err;
}

/* Asks until a source has it; if none has it, reports the first failure. */
static int ask_sources(struct asker *asker, const char *name, struct version *version)
{
	char why[sizeof(asker->fetcher.why)] = "";
	struct source *source;
	int err, first = 0;

	for (source = asker->sources; source; source = source->next) {
		err = ask_source(asker, source, name, version);
		if (!err)
			return 0;
		if (err == -ENOENT || first)
			continue;
		first = err;
		memcpy(why, asker->fetcher.why, sizeof(why));
	}
	if (!first)
		return fetcher_fail(&asker->fetcher, -ENOENT, "no source has it");
	return fetcher_fail(&asker->fetcher, first, "%s", why);
}

/**
 * asker_ask - find the version of a blob
 * @asker: the sources
 * @blob: name
 * @version: set to that of the first source that has it
 *
 * Return: 0; -ENOENT if no source has it; or another negative errno, see fetcher.why
 */
int asker_ask(struct asker *asker, const char *blob, struct version *version)
{
	char name[BLOB_NAME_MAX + 1];
	int err = blob_name_check((const uint8_t *)blob, strlen(blob), name);

	if (err)
		return fetcher_fail(&asker->fetcher, err, "invalid blob name");
	return ask_sources(asker, name, version);
}

void asker_end(struct asker *asker)
{
	if (asker->fetcher.connection)
		source_http_ops.end(&asker->fetcher);
	source_free(asker->sources);
	http_global_exit();
}
