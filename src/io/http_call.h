#ifndef IO_HTTP_CALL_H
#define IO_HTTP_CALL_H

#include "io/http.h"

#include <curl/curl.h>

/* For io/http.c and io/http_pool.c only: one request as curl wants it, and what came of it. */

struct io_http_call {
    struct io_http *http;
    const struct io_http_options *options; /* complete ones */
    struct io_http_call *prev, *next;
    CURL *easy;
    struct curl_slist *headers;
    struct buf body;
    size_t body_sent; /* of a body that is read by curl, see set_body_once */
    struct buf answer;
    io_http_fn *done;
    void *ctx;
    int64_t started_us;
    io_http_elsewhere_fn *elsewhere; /* or NULL */
    bool once;
    bool active; /* curl has it */
    bool cancelled;
    bool too_large;
    bool sign;                  /* the AWS way */
    char said[CURL_ERROR_SIZE]; /* by curl about a failure */
};

/* NULL with err set when curl can't. Takes the body over. */
struct io_http_call *io_http_call_new(const struct io_http_options *options,
                                      const struct io_http_request *request, struct err *err);
void io_http_call_free(struct io_http_call *call);
/* Whether it may go to another server after this result of curl's: none of it has reached one, or
 * it does no harm twice. */
bool io_http_call_may_move(const struct io_http_call *call, CURLcode rc, const struct err *err);
/* Makes it ready to be started anew, for another url. */
MUST_USE bool io_http_call_move(struct io_http_call *call, const char *url);
/* http.c: curl has done with it. Frees it, or makes another attempt. */
void io_http_ended(struct io_http_call *call, CURLcode rc);
/* What curl's result for a call that failed means. */
void io_http_call_error(const struct io_http_call *call, CURLcode rc, struct err *err);

#endif
