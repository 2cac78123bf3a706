#ifndef ES_CLIENT_H
#define ES_CLIENT_H

#include "base/buf.h"
#include "base/err.h"
#include "base/json.h"
#include "base/log.h"
#include "base/slice.h"
#include "es/version.h"
#include "io/http.h"
#include "io/loop.h"

#include <stdbool.h>
#include <stdint.h>

/* A client of one Elasticsearch or OpenSearch cluster, bound to one index. One loop, one thread.
 *
 * Promise of every function that takes a callback: it returns false with err set and never calls
 * back, or returns true and calls back exactly once, later, from the loop. Results are borrowed for
 * the time of the call. Retrying is the caller's affair: errors carry their class (429:
 * ERR_OVERLOADED; 5xx and a blocked or closed index: ERR_UNAVAILABLE; no connection:
 * ERR_CONNECTION; 401 and 403: ERR_AUTH; 404: ERR_NOT_FOUND; 409: ERR_CONFLICT; 413: ERR_TOO_LARGE;
 * other 4xx: ERR_REQUEST; a redirect: ERR_CONFIG). Texts name the server and its reason, no secret.
 */
struct es_client;

/* For measurements: told of every request that is taken, and of its end just before its callback.
 * err NULL: it was answered, and well. */
enum es_operation {
    ES_OPERATION_BULK,
    ES_OPERATION_SEARCH,
    ES_OPERATION_GET,
    ES_OPERATION_REFRESH,
    ES_OPERATION_OTHER
};
struct es_watch {
    void (*begun)(void *ctx, enum es_operation operation);
    void (*ended)(void *ctx, enum es_operation operation, uint64_t took_us, const struct err *err);
    void *ctx;
};

struct es_options {
    const char *const *hosts; /* "http://host:port", "https://…"; copied; tried in turn */
    size_t host_count;
    const char *username, *password; /* NULL: none */
    const char *api_key;
    struct io_http_aws aws; /* instead of these; all NULL: requests are not signed */
    struct {
        const char *ca, *cert, *key; /* PEM files */
        bool no_verify;
    } tls;
    const char *index;           /* copied */
    const char *type;            /* used below 7 only; NULL: "doc" */
    const char *timestamp_field; /* holds the version, from 5 on; "timestamp" */
    bool compression;            /* gzip of large bodies */
    unsigned connections;        /* 0: 4 */
    uint64_t connect_timeout_ms; /* 0: 5000 */
    uint64_t request_timeout_ms; /* 0: 60000 */
    size_t answer_max;           /* bytes that one answer may take; 0: 256 MiB */
    struct es_watch watch;       /* functions may be NULL */
    const struct log *log;
    /* An open client whose connections it uses where host and tls are the same; NULL: none. Either
     * may be closed first. */
    const struct es_client *beside;
};

struct es_client *es_client_new(struct io_loop *loop, const struct es_options *options,
                                struct err *err);
/* Ends all requests with ERR_CANCELLED, closes, frees; closed (may be NULL) is called last. All
 * feeds must have been closed. */
void es_client_close(struct es_client *client, void (*closed)(void *ctx), void *ctx);

typedef void es_done_fn(void *ctx, const struct err *err); /* err NULL: done */
/* Finds out what server this is; to be done once before all else. */
MUST_USE bool es_connect(struct es_client *client, es_done_fn *done, void *ctx, struct err *err);
/* Valid after es_connect; borrowed. */
const struct es_version *es_client_version(const struct es_client *client);

struct es_document {
    struct slice id;
    struct slice routing; /* that it was written with; null: none, its _id tells the shard */
    bool found;
    int64_t version;
    int64_t seq_no, primary_term;   /* -1 where the server has none */
    const struct json_node *source; /* object; NULL: not found, not kept, or it can't be read */
};

/* -- writing ----------------------------------------------------------------------------- */

struct es_action {
    struct slice id;
    struct slice routing; /* of the document that is there; null: none */
    int64_t version;
    bool gte; /* external_gte instead of external */
};
/* Appends one action to a bulk body. id and source are raw: id is escaped here, source must be
 * one valid JSON object without newlines. From 5 on the
 * caller puts the timestamp field into source; before, it travels as _timestamp. ERR_VALUE, with
 * body unchanged, for what would make the server refuse the whole bulk: an id that is not 1 to 512
 * bytes of UTF-8, a negative version, one of more than 13 digits as a _timestamp. */
MUST_USE bool es_bulk_index(const struct es_client *client, struct buf *body,
                            const struct es_action *action, struct slice source, struct err *err);
MUST_USE bool es_bulk_delete(const struct es_client *client, struct buf *body,
                             const struct es_action *action, struct err *err);

/* Removes the document only if it is still the one that was seen (by _seq_no; where the server has
 * none, if its version is not above the one seen). */
MUST_USE bool es_bulk_delete_if(const struct es_client *client, struct buf *body,
                                const struct es_document *seen, struct err *err);

/* Outcome of one item, in the order of the body. */
struct es_bulk_item {
    int status;          /* HTTP: 200, 201; 404 (deleted nothing); 409 superseded; 429; … */
    enum err_code code;  /* ERR_NONE (also for a delete of nothing), else as for requests: 409
                          * ERR_CONFLICT, 429 ERR_OVERLOADED, 5xx ERR_UNAVAILABLE, 400 ERR_REQUEST */
    struct slice reason; /* "type: reason", one line; null when fine */
};
typedef void es_bulk_fn(void *ctx, const struct es_bulk_item *items, size_t count,
                        const struct err *err);
/* Sends body (taken over: *body is empty afterwards) with count > 0 actions. items is NULL when the
 * whole request failed: what took effect is unknown then, except for ERR_TOO_LARGE: nothing, send
 * less at once. An answer with another number of items is ERR_PROTOCOL. */
MUST_USE bool es_bulk(struct es_client *client, struct buf *body, size_t count, es_bulk_fn *done,
                      void *ctx, struct err *err);

/* -- reading ----------------------------------------------------------------------------- */

typedef void es_documents_fn(void *ctx, const struct es_document *documents, size_t count,
                             const struct err *err);
/* Reads count > 0 documents by id, in order, in real time (no refresh needed). An item that failed
 * by itself makes the whole call fail with its class.
 * A document with a routing of its own is found (from 5 on) once it is known that the index holds
 * such documents: es_look_for_routing found one, or any read brought one. Where it is is known as
 * of the last refresh. */
MUST_USE bool es_mget(struct es_client *client, const struct slice *ids, size_t count,
                      es_documents_fn *done, void *ctx, struct err *err);
/* Which documents are there and with which version: as es_mget, but without any _source. */
MUST_USE bool es_mget_versions(struct es_client *client, const struct slice *ids, size_t count,
                               es_documents_fn *done, void *ctx, struct err *err);
/* ERR_NOT_FOUND: there is no index. */
MUST_USE bool es_look_for_routing(struct es_client *client, es_done_fn *done, void *ctx,
                                  struct err *err);
/* Whether the index is known to hold such documents: what a feed or page gives of an _id may be one
 * of several then. */
bool es_client_routed(const struct es_client *client);

/* A feed gives all documents whose timestamp field is >= since (and <= until when until > 0), in no
 * particular order, some of them twice or as they are by then, as of its first page, by point in
 * time + search_after or scroll, never from/size. Pages may be smaller than asked for. A feed whose
 * next page is asked for more than 5 minutes after the last one may end with ERR_UNAVAILABLE;
 * another one can be opened then. */
struct es_feed;
/* Of operations up to a sequence number: those of documents with a timestamp from since up. */
struct es_given {
    int64_t seq_no, since;
};
struct es_feed_options {
    int64_t since, until;
    /* Only documents whose last operation has this sequence number or a higher one (0: any),
     * without those of given, in ascending order, each from behind the sequence number of the one
     * before it. Borrowed until the feed is closed. */
    int64_t from_seq_no;
    const struct es_given *given;
    size_t given_count;
    bool all;       /* every document, since is ignored */
    bool no_source; /* documents come without their source and sequence numbers */
    bool many;      /* more than a page is expected */
    /* Only documents in which this boolean field is true; NULL: whatever they hold. Borrowed. */
    const char *where_true;
    uint32_t page_size; /* 0: 1000; at most 10,000 */
    /* Not 0: aims at pages of as many bytes, with page_size documents at most; the first one is
     * small. A scroll has 1000 documents. */
    uint32_t page_bytes;
    /* slices > 1: only part number slice (from 0) of that many, so that several feeds can share the
     * work; each has its own moment. Servers below 5 have no slices: slice 0 gives everything. */
    uint32_t slice, slices;
    /* Where es_feed_divides: the moment of another feed, which stays open longer than this one;
     * null: its own. Copied. */
    struct slice moment;
};
typedef void es_feed_fn(void *ctx, struct es_feed *feed, const struct err *err);
MUST_USE bool es_feed_open(struct es_client *client, const struct es_feed_options *options,
                           es_feed_fn *done, void *ctx, struct err *err);
/* count 0 and err NULL: that was the end. One call at a time; after an error only es_feed_close. */
MUST_USE bool es_feed_next(struct es_feed *feed, es_documents_fn *done, void *ctx, struct err *err);
/* Its moment, once it has given a page, for others of any client; borrowed until the next page. */
struct slice es_feed_moment(const struct es_feed *feed);
/* Whether slices of one moment can be read side by side, at no more cost than one after the other.
 */
bool es_feed_divides(const struct es_client *client);
/* Frees it and closes its context on the server, in the background. No call may be pending. */
void es_feed_close(struct es_feed *feed);

/* Version of the document with the highest timestamp field; found false when there is none. The
 * field may be unmapped, but the index must exist. */
typedef void es_max_fn(void *ctx, bool found, int64_t value, const struct err *err);
MUST_USE bool es_max_timestamp(struct es_client *client, es_max_fn *done, void *ctx,
                               struct err *err);

/* At most count (1 to 10,000) documents picked by chance (of seed), without their _source. */
MUST_USE bool es_sample(struct es_client *client, uint32_t count, uint32_t seed,
                        es_documents_fn *done, void *ctx, struct err *err);

/* -- the index --------------------------------------------------------------------------- */

MUST_USE bool es_refresh(struct es_client *client, es_done_fn *done, void *ctx, struct err *err);
typedef void es_json_fn(void *ctx, const struct json_node *json, const struct err *err);
/* The mapping of the index: the object that holds "properties" (and "dynamic", "_timestamp"),
 * whatever the server's version wraps around it; an empty object for none. ERR_NOT_FOUND when the
 * index does not exist, ERR_SCHEMA when it lacks the type or the name stands for several. */
MUST_USE bool es_mapping(struct es_client *client, es_json_fn *done, void *ctx, struct err *err);
/* Any other question: a GET, or with a body (taken over, also when it fails) a POST that only asks.
 * In path "{index}" stands for the index and "{documents}" for where its documents are, both as the
 * server wants them in a path: "/{index}/_settings", "/{documents}/_search". */
MUST_USE bool es_ask(struct es_client *client, const char *path, struct buf *body, es_json_fn *done,
                     void *ctx, struct err *err);
/* Creates the index with mapping (the same object as above, as JSON). */
MUST_USE bool es_index_create(struct es_client *client, struct slice mapping, es_done_fn *done,
                              void *ctx, struct err *err);

#endif
