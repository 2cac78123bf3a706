#ifndef CQL_HANDSHAKE_H
#define CQL_HANDSHAKE_H

#include "base/attr.h"
#include "base/buf.h"
#include "base/err.h"
#include "cql/frame.h"

#include <stdbool.h>

/* What is said before the first request: OPTIONS, STARTUP, login, a look at system.local. It only
 * makes and reads messages. */
enum cql_handshake_step {
    CQL_HANDSHAKE_OPTIONS,
    CQL_HANDSHAKE_STARTUP,
    CQL_HANDSHAKE_LOGIN,
    CQL_HANDSHAKE_LOCAL,
    CQL_HANDSHAKE_READY,
};

struct cql_handshake {
    int version;
    bool compression;                /* wanted */
    const char *username, *password; /* borrowed; may be NULL */
    enum cql_handshake_step step;
    bool lz4;             /* wanted and offered */
    bool version_refused; /* why it failed: another version may do */
    char release[64], datacenter[256];
    char host_id[16]; /* zeros: not known */
};

/* Opcode and body of the request of the step that it is at. Not for READY. */
enum cql_opcode cql_handshake_opcode(const struct cql_handshake *handshake);
void cql_handshake_request(const struct cql_handshake *handshake, struct buf *body);
/* Takes the answer and moves to the next step. Errors: ERR_AUTH, ERR_PROTOCOL, or the class of what
 * the server said. */
MUST_USE bool cql_handshake_answer(struct cql_handshake *handshake, const struct cql_frame *answer,
                                   struct err *err);

#endif
