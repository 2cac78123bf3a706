#ifndef CQL_MESSAGE_H
#define CQL_MESSAGE_H

#include "base/buf.h"
#include "cql/statement.h"

/* Bodies of requests, v4 and v5 specification section 4.1, appended to out. version is 4 or 5.
 * Lengths were checked by whoever took the statement from the caller. */

/* compression: "lz4" or NULL */
void cql_encode_startup(struct buf *out, const char *compression);
/* SASL PLAIN (RFC 4616) */
void cql_encode_auth_response(struct buf *out, const char *username, const char *password);
/* For all three kinds of events. */
void cql_encode_register(struct buf *out);
void cql_encode_query(struct buf *out, int version, const struct cql_statement *statement,
                      const struct cql_execution *execution);
void cql_encode_prepare(struct buf *out, int version, struct slice text);
/* result_id: of the metadata that is known (v5, else ignored); skip_metadata: rows may come
 * without it. */
void cql_encode_execute(struct buf *out, int version, struct slice id, struct slice result_id,
                        bool skip_metadata, const struct cql_statement *statement,
                        const struct cql_execution *execution);
void cql_encode_batch(struct buf *out, int version, enum cql_batch_kind kind,
                      const struct cql_statement *statements, size_t count,
                      const struct cql_execution *execution);

#endif
