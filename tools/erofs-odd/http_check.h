/* SPDX-License-Identifier: GPL-2.0-only */
/* Checks whether a response matches the request, and if not, whether to try again. */
#ifndef ODD_HTTP_CHECK_H
#define ODD_HTTP_CHECK_H

#include "http.h"

int http_check_header(struct http_request *req);
int http_check_coding(struct http_request *req, uint8_t byte);
int http_check_status(struct http_request *req);

#endif
