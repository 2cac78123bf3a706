#ifndef IO_HTTP_URL_H
#define IO_HTTP_URL_H

#include "base/attr.h"
#include "base/buf.h"
#include "base/err.h"
#include "base/slice.h"

#include <stdbool.h>

/* An address as people write it, "https://user:password@host:9200/prefix", taken apart. */
struct io_http_origin {
    char *url;      /* without user and password, without a slash at the end */
    char *username; /* NULL: none */
    char *password;
};
/* scheme and port are put in when missing. Errors: ERR_CONFIG; the text has no password. */
MUST_USE bool io_http_origin_parse(const char *text, const char *default_port,
                                   struct io_http_origin *origin, struct err *err);
void io_http_origin_free(struct io_http_origin *origin);

/* Appends text percent-encoded for use as one segment of a path or as a query's value. */
void io_http_escape(struct buf *out, struct slice text);

#endif
