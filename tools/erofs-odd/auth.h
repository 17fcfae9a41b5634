/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Credentials of an HTTP source. Only the names of files are kept: these are read for each
 * request, so that credentials can be renewed, and are never logged.
 */
#ifndef ODD_AUTH_H
#define ODD_AUTH_H

#include <curl/curl.h>

#include "fetcher.h"

/**
 * struct auth - files with credentials, or NULL
 * @token: a bearer token
 * @header: header fields, one a line
 * @user: user:password
 * @netrc: logins by host name, see curl(1)
 * @cert: client certificate (PEM)
 * @key: its key (PEM); NULL: it is in @cert
 */
struct auth {
	char *token;
	char *header;
	char *user;
	char *netrc;
	char *cert;
	char *key;
};

int auth_apply(const struct auth *auth, struct fetcher *fetcher, CURL *curl,
	       struct curl_slist **fields);
int auth_check(const struct auth *auth, char *why, size_t size);
void auth_free(struct auth *auth);

#endif
