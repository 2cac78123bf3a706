#ifndef CQL_CONNECTION_H
#define CQL_CONNECTION_H

#include "base/attr.h"
#include "base/err.h"
#include "base/log.h"
#include "cql/frame.h"
#include "cql/result.h"
#include "cql/tls.h"

#include <stdbool.h>
#include <stdint.h>
#include <uv.h>

/* One connection to one node: handshake, requests by stream id, heartbeat. */
struct cql_connection;

/* A request in flight; embedded in the caller's object. done is called exactly once, from the
 * loop, with an answer (borrowed for the time of the call) or an error, unless it is abandoned. */
struct cql_call {
    void (*done)(struct cql_call *call, const struct cql_frame *answer, const struct err *err);
    int stream; /* set while it is in flight */
};

struct cql_connection_options {
    const char *host; /* all strings are borrowed until closed */
    uint16_t port;
    int version; /* 4 or 5 */
    bool compression;
    const char *username, *password; /* may be NULL */
    struct cql_tls_context *tls;     /* borrowed; NULL: plain TCP */
    unsigned in_flight;
    uint64_t connect_timeout_ms; /* until ready */
    uint64_t heartbeat_ms;       /* silence before an OPTIONS; again as long: the peer is dead */
    const struct log *log;
};

struct cql_connection_events {
    void (*ready)(void *ctx, struct cql_connection *connection);
    /* There is room for requests again. */
    void (*drained)(void *ctx, struct cql_connection *connection);
    void (*event)(void *ctx, struct cql_connection *connection, const struct cql_event *event);
    /* At most once, and not after cql_connection_close; the calls in flight are failed next, then
     * it closes itself. */
    void (*broken)(void *ctx, struct cql_connection *connection, const struct err *err);
    /* The last call: its memory goes. */
    void (*closed)(void *ctx, struct cql_connection *connection);
};

struct cql_connection *cql_connection_open(uv_loop_t *loop,
                                           const struct cql_connection_options *options,
                                           const struct cql_connection_events *events, void *ctx);
/* Fails the calls in flight with ERR_CANCELLED and closes. To be called from the loop. */
void cql_connection_close(struct cql_connection *connection);
/* The same with another error for the calls. */
void cql_connection_retire(struct cql_connection *connection, const struct err *err);

/* Puts whose answer it was before what is wrong with it. */
void cql_connection_blame(const struct cql_connection *connection, struct err *err);

/* Whether one more request may be sent now. */
bool cql_connection_has_room(const struct cql_connection *connection);
/* Calls in flight. */
unsigned cql_connection_busy(const struct cql_connection *connection);
/* A request: its body is appended to what begin returns, then comes end. begin returns NULL when
 * no stream id is free. Nothing is written before flush. */
struct buf *cql_connection_begin(struct cql_connection *connection, struct cql_call *call,
                                 enum cql_opcode opcode);
void cql_connection_end(struct cql_connection *connection);
void cql_connection_flush(struct cql_connection *connection);
/* Gives a call up: it is not called back. Its stream id stays taken until the answer comes; a
 * connection with too many such takes no more, and breaks when nobody waits for it, or after two
 * heartbeats. To be called from the loop. */
void cql_connection_abandon(struct cql_connection *connection, struct cql_call *call);
/* Asks for events. */
void cql_connection_register(struct cql_connection *connection);

int cql_connection_version(const struct cql_connection *connection);
/* Whether it broke because the node does not speak the version of the options. */
bool cql_connection_version_refused(const struct cql_connection *connection);
/* From ready on; borrowed. */
const char *cql_connection_release(const struct cql_connection *connection);
const char *cql_connection_datacenter(const struct cql_connection *connection);
/* 16 bytes; zeros where the node does not tell. */
struct slice cql_connection_host_id(const struct cql_connection *connection);

#endif
