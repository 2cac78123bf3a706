#ifndef IO_HTTP_H
#define IO_HTTP_H

#include "base/attr.h"
#include "base/buf.h"
#include "base/err.h"
#include "base/slice.h"
#include "io/loop.h"

#include <stdbool.h>
#include <stdint.h>

/* HTTP/1.1 client on the loop, with connections kept alive and shared by all requests, and by
 * several clients where these were opened beside each other. http and https only; redirects are not
 * followed; no proxy, .netrc or other setting of the environment is obeyed. The process must ignore
 * SIGPIPE. Logins appear in no error text. */
struct io_http;

struct io_http_options {
    unsigned connections;        /* requests in flight, the others wait their turn; 0: 4 */
    uint64_t connect_timeout_ms; /* with the TLS handshake; 0: 5000 */
    uint64_t total_timeout_ms;   /* of one request, not counting its wait for a turn; 0: 60000 */
    size_t gzip_above;           /* bodies of more bytes are sent compressed; 0: none are */
    bool accept_gzip;
    size_t answer_max; /* bytes, uncompressed; 0: 64 MiB */
    struct {
        const char *ca, *cert, *key; /* PEM files; NULL: the system's authorities, no certificate */
        bool no_verify;
    } tls;
    /* An open one whose connections it uses where host and tls are the same; NULL: none. Either may
     * be closed first. Their requests take turns; one that takes long holds up its own only. */
    const struct io_http *beside;
};

/* Copies the options. */
struct io_http *io_http_new(struct io_loop *loop, const struct io_http_options *options,
                            struct err *err);
/* Ends all requests with ERR_CANCELLED, closes, frees; all from the loop, not during this call.
 * closed (may be NULL) is called last. New requests are refused from here on. */
void io_http_close(struct io_http *http, void (*closed)(void *ctx), void *ctx);

/* Credentials of AWS; requests are signed with them (Signature Version 4). */
struct io_http_aws {
    const char *region, *service; /* "eu-west-1", "es" */
    const char *access_key, *secret_key;
    const char *session_token; /* NULL: they are no temporary ones */
};

/* One of: API key, user and password, credentials of AWS; or nothing. */
struct io_http_login {
    const char *username, *password;
    const char *api_key;    /* sent as "Authorization: ApiKey …" */
    struct io_http_aws aws; /* counts where access_key is given; paths must then need no escapes */
};

/* Where else a request may go whose server could not be reached (err says why), or ended the
 * connection under one that is not sent `once`: a URL, borrowed for the call, or NULL. */
typedef const char *io_http_elsewhere_fn(void *ctx, const struct err *err);

struct io_http_request {
    const char *method;                /* GET, POST, PUT, DELETE, HEAD */
    const char *url;                   /* without user and password */
    const char *content_type;          /* of the body; borrowed until the answer */
    struct buf *body;                  /* taken over when the request is accepted; NULL: none */
    bool plain;                        /* the body is not compressed, whatever its size */
    bool once;                         /* see below; for requests with a body */
    const struct io_http_login *login; /* may be NULL */
    io_http_elsewhere_fn *elsewhere;   /* NULL: nowhere else; gets the ctx of the callback */
};

struct io_http_answer {
    int status;
    struct buf body; /* uncompressed, JSON_PADDING bytes behind it are readable; freed after the
                      * call unless the callee takes it and leaves an empty one */
    const char *redirect; /* where a 3xx points to, or NULL */
    uint64_t took_us;
};

/* A request that a kept connection ends under, before a byte of its answer has come, is sent again
 * on a new one, although the server may have obeyed it. With once it is not when any of its body
 * had left: it ends with ERR_CONNECTION. */

/* Exactly one call, later and from the loop, for each request that was accepted. answer is NULL
 * when err is set. Errors: ERR_CONNECTION, ERR_TIMEOUT, ERR_CANCELLED, ERR_TOO_LARGE (the answer),
 * ERR_PROTOCOL (not HTTP), ERR_TRUST (its certificate), ERR_AUTH (it refuses ours), ERR_CONFIG
 * (files of ours). Texts don't name the server. */
typedef void io_http_fn(void *ctx, struct io_http_answer *answer, const struct err *err);

/* A request under way; its memory ends with its callback. */
struct io_http_call;
/* NULL with err set: refused, no callback. */
MUST_USE struct io_http_call *io_http_send(struct io_http *http,
                                           const struct io_http_request *request, io_http_fn *done,
                                           void *ctx, struct err *err);
/* The callback comes soon with ERR_CANCELLED, unless the answer was faster. */
void io_http_cancel(struct io_http_call *call);

#endif
