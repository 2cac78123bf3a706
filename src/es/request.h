#ifndef ES_REQUEST_H
#define ES_REQUEST_H

#include "es/client.h"
#include "io/http.h"
#include "io/http_url.h"

/* For the files of es/ only: one request, one parsed answer. */

struct es_host {
    struct io_http_origin origin;
    int64_t dead_until_us; /* monotonic; set aside until then */
    unsigned failures;     /* since its last answer */
};

struct es_client {
    struct io_loop *loop;
    struct io_http *http;
    struct es_host *hosts;
    size_t host_count, next_host;
    struct io_http_login login; /* strings are owned */
    char *index_path;           /* "/index", escaped */
    char *type_path;            /* "/index/type", escaped */
    char *type;
    char *timestamp_field;
    struct es_version version;
    bool routed;          /* documents with a routing of their own are known of (routing.h) */
    bool wants_routing;   /* the mapping requires one */
    bool saw_mapping;     /* so wants_routing is true or not */
    bool said_double;     /* that an _id stands for several documents */
    struct json_doc *doc; /* the answer that is being looked at */
    size_t answered;      /* the host that it came from */
    struct es_watch watch;
    const struct log *log;
    void (*closed)(void *ctx);
    void *closed_ctx;
};

/* json is NULL when err is set; else an answer below 300, borrowed for the call. status is known
 * with most errors too (0: there was no answer). */
typedef void es_answer_fn(void *ctx, const struct json_node *json, int status,
                          const struct err *err);

enum es_sending {
    ES_JSON,      /* may be sent again when a kept connection ends under it */
    ES_JSON_ONCE, /* not: the server has moved on by the first */
    ES_BULK,      /* NDJSON, once: whether a write is repeated is for its sender to decide */
};

/* body (may be NULL) is taken over, also when it fails. path begins with a slash. */
MUST_USE bool es_send(struct es_client *client, const char *method, const char *path,
                      struct buf *body, enum es_sending sending, es_answer_fn *done, void *ctx,
                      struct err *err);

/* Puts the host of the answer that is being looked at before what is wrong with it. */
void es_blame(const struct es_client *client, struct err *err);

/* Name of the field that holds the version for searches. */
const char *es_timestamp_name(const struct es_client *client);
/* "/index" or "/index/type", as the server wants it for documents. */
const char *es_documents_path(const struct es_client *client);
/* Appends {"range":{…}} for versions from since up to until (0: no end). */
void es_append_range(const struct es_client *client, struct buf *body, int64_t since,
                     int64_t until);
/* The same for all below a value. */
void es_append_below(const struct es_client *client, struct buf *body, int64_t below);

#endif
