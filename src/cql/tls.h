#ifndef CQL_TLS_H
#define CQL_TLS_H

#include "base/attr.h"
#include "base/buf.h"
#include "base/err.h"

#include <stdbool.h>

/* TLS 1.2 and up, in memory: bytes in, bytes out, no I/O. */
struct cql_tls_options {
    bool enabled;
    const char *ca;   /* PEM file of the authorities to trust; NULL: those of the system */
    const char *cert; /* PEM files of one's own, when the server asks; NULL: none */
    const char *key;
    /* Whom the certificates are for, whatever host is connected to; NULL: the host. Copied. */
    const char *server_name;
    bool no_verify; /* neither chain nor name: for tests only */
};

/* Certificates and keys, read once for all connections. Errors: ERR_CONFIG. */
struct cql_tls_context;
MUST_USE struct cql_tls_context *cql_tls_context_new(const struct cql_tls_options *options,
                                                     struct err *err);
void cql_tls_context_free(struct cql_tls_context *context);

/* One connection. host is what the certificate must be for: a name or an address. */
struct cql_tls;
struct cql_tls *cql_tls_new(struct cql_tls_context *context, const char *host);
void cql_tls_free(struct cql_tls *tls);

/* Goes on with the handshake: 1 when it is done, 0 when bytes of the peer are needed, -1 on an
 * error: ERR_TRUST when the server's certificate is refused, ERR_AUTH when it refuses ours,
 * ERR_CONNECTION otherwise. */
MUST_USE int cql_tls_handshake(struct cql_tls *tls, struct err *err);
/* Takes bytes from the peer. */
void cql_tls_received(struct cql_tls *tls, const char *bytes, size_t len);
/* Decrypted bytes: their number, 0 when there are none, -1 on an error: as above, for the server
 * may refuse our certificate after the handshake. */
MUST_USE int cql_tls_read(struct cql_tls *tls, char *out, size_t room, struct err *err);
/* Encrypts; only after the handshake. Errors: ERR_CONNECTION. */
MUST_USE bool cql_tls_write(struct cql_tls *tls, struct slice plain, struct err *err);
/* Appends what has to be sent to the peer. To be called after each of the functions above. */
void cql_tls_take(struct cql_tls *tls, struct buf *out);

#endif
