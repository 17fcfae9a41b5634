/* SPDX-License-Identifier: GPL-2.0-only */
/* Which version of a blob do the sources have? They are asked as the daemon asks them. */
#ifndef OD_ASKER_H
#define OD_ASKER_H

#include <argp.h>

#include "source.h"

/**
 * struct asker - sources, and what they are asked with
 * @sources: in the order to ask
 * @options: patience
 * @stop: never set
 * @fetcher: its @why says what went wrong
 */
struct asker {
	struct source *sources;
	struct fetch_options options;
	atomic_bool stop;
	struct fetcher fetcher;
};

/** ASKER_OPTIONS - of a command that has one */
#define ASKER_OPTIONS								\
	{ "source", 's', "DIR|URL", 0, "Directory or http(s) URL with the blobs, as for erofs-odd; " \
	  "may be repeated", 0 },						\
	{ "cacert", ASKER_KEY_CACERT, "FILE", 0, "Certificates to trust, in place of the " \
	  "system's", 0 }

enum { ASKER_KEY_CACERT = 0x200 };

error_t asker_parse(struct asker *asker, int key, char *text, struct argp_state *state);
int asker_begin(struct asker *asker);
int asker_ask(struct asker *asker, const char *blob, struct version *version);
void asker_end(struct asker *asker);

#endif
