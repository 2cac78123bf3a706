#ifndef CQL_TRANSPORT_H
#define CQL_TRANSPORT_H

#include "base/attr.h"
#include "base/buf.h"
#include "base/err.h"
#include "cql/tls.h"

#include <stdbool.h>
#include <stdint.h>
#include <uv.h>

/* Bytes to and from one peer over TCP, or over TLS on top of it. Everything is called from the
 * loop, nothing from inside a function of this header. */
struct cql_transport;

struct cql_transport_events {
    void (*open)(void *ctx);
    /* Room for incoming bytes, at least one; then how many of it were filled. */
    char *(*room)(void *ctx, size_t *len);
    void (*received)(void *ctx, size_t len);
    /* All bytes handed over so far are on their way. */
    void (*drained)(void *ctx);
    /* At most once; what is left to do is cql_transport_close. */
    void (*broken)(void *ctx, const struct err *err);
    /* The last call. */
    void (*closed)(void *ctx);
};

/* Resolves host (a name or an address) and connects to the first of its addresses that answers.
 * host, tls (NULL: plain TCP) and events are borrowed until closed. */
struct cql_transport *cql_transport_open(uv_loop_t *loop, const char *host, uint16_t port,
                                         struct cql_tls_context *tls,
                                         const struct cql_transport_events *events, void *ctx);
/* Takes all bytes out of *bytes (which stays usable). Only after open. */
void cql_transport_write(struct cql_transport *transport, struct buf *bytes);
/* Bytes handed over and not yet taken by the system. */
size_t cql_transport_unsent(const struct cql_transport *transport);
/* Frees it after the call of closed; no other callback comes any more. */
void cql_transport_close(struct cql_transport *transport);

#endif
