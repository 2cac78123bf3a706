#ifndef IO_HTTP_AWS_H
#define IO_HTTP_AWS_H

#include "io/http_call.h"

/* For io/http_call.c only: requests signed the AWS way (Signature Version 4). curl 7.88 signs
 * queries as they stand, and for bodies that it reads itself it would sign an empty one. */

/* Appends url with its query as the signature wants it: encoded, sorted, each name with a "=". */
void io_http_aws_url(const char *url, struct buf *out);
/* Once headers and body are complete, but for the list of headers itself. */
void io_http_aws_sign(struct io_http_call *call, const struct io_http_aws *aws);

#endif
