/* SPDX-License-Identifier: GPL-2.0-only */
/* Is a reply what was asked for? And if not, is it worth another try? */
#ifndef ODD_HTTP_CHECK_H
#define ODD_HTTP_CHECK_H

#include "http.h"

int http_check_header(struct http_request *req);
int http_check_coding(struct http_request *req, uint8_t byte);
int http_check_status(struct http_request *req);

#endif
