/* SPDX-License-Identifier: GPL-2.0-only */
/* Finds the version of a blob at its sources, with the daemon's own code. */
#ifndef OD_ASKER_H
#define OD_ASKER_H

#include <argp.h>

#include "source.h"

/**
 * struct asker - sources and their options
 * @sources: in the order in which they are tried
 * @options: timeouts and retries
 * @stop: never set
 * @fetcher: its @why describes the last error
 */
struct asker {
	struct source *sources;
	struct fetch_options options;
	atomic_bool stop;
	struct fetcher fetcher;
};

/** ASKER_OPTIONS - for the option table of a command that has an asker */
#define ASKER_OPTIONS								\
	{ "source", 's', "DIR|URL", 0, "Directory or http(s) URL with the blobs, as for erofs-odd; " \
	  "may be repeated", 0 },						\
	{ "cacert", ASKER_KEY_CACERT, "FILE", 0, "Certificates (PEM) to trust instead of " \
	  "the system's", 0 }

enum { ASKER_KEY_CACERT = 0x200 };

error_t asker_parse(struct asker *asker, int key, char *text, struct argp_state *state);
int asker_begin(struct asker *asker);
int asker_ask(struct asker *asker, const char *blob, struct version *version);
void asker_end(struct asker *asker);

#endif
