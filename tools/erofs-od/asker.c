// SPDX-License-Identifier: GPL-2.0-only
#include "asker.h"

#include <errno.h>
#include <string.h>

#include "command.h"
#include "http.h"
#include "log.h"
#include "name.h"

#define RETRIES		4
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

	asker->options.retries = RETRIES;
	asker->options.timeout_ms = TIMEOUT_MS;
	asker->options.low_speed = LOW_SPEED;
	asker->options.low_speed_s = LOW_SPEED_S;
	if (!err)
		err = fetcher_init(&asker->fetcher, &asker->options, &asker->stop);
	if (err)
		log_err("failed to start libcurl: %s", strerror(-err));
	return err;
}

/**
 * asker_ask - find the version of a blob
 * @asker: the sources
 * @blob: name
 * @size: set to its size
 * @validator: set to what identifies its version, or ""
 *
 * Return: 0; -ENOENT if no source has it; or another negative errno, see fetcher.why
 */
int asker_ask(struct asker *asker, const char *blob, uint64_t *size,
	      char validator[static VALIDATOR_MAX + 1])
{
	char name[BLOB_NAME_MAX + 1];
	struct source_file file;
	int err = blob_name_check((const uint8_t *)blob, strlen(blob), name);

	if (err)
		return fetcher_fail(&asker->fetcher, err, "invalid blob name");
	err = source_lookup(asker->sources, &asker->fetcher, name, &file);
	if (err)
		return err;
	*size = file.size;
	strcpy(validator, file.validator);
	file.source->ops->close(&file);
	return 0;
}

void asker_end(struct asker *asker)
{
	if (asker->fetcher.curl)
		fetcher_exit(&asker->fetcher);
	source_free(asker->sources);
	http_global_exit();
}
