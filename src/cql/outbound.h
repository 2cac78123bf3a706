#ifndef CQL_OUTBOUND_H
#define CQL_OUTBOUND_H

#include "base/buf.h"
#include "cql/frame.h"

#include <stdbool.h>

/* From requests to the bytes of a connection: all that is queued between two takes goes out as one
 * run of frames, or of segments. Zero-initialised sends plain frames. */
struct cql_outbound {
    bool segments; /* v5 behind STARTUP */
    bool lz4;      /* segments are in the compressed format; without segments: bodies (v4) */
    struct buf frames, packed;
    size_t start; /* of the frame that is being written */
};

void cql_outbound_free(struct cql_outbound *outbound);
/* The body is appended to what this returns, then comes cql_outbound_end. */
struct buf *cql_outbound_begin(struct cql_outbound *outbound, int version, enum cql_opcode opcode,
                               int16_t stream);
void cql_outbound_end(struct cql_outbound *outbound);
/* The bytes to send, to be emptied by the caller; len is 0 when there are none. */
struct buf *cql_outbound_take(struct cql_outbound *outbound);

#endif
