#ifndef CQL_INBOUND_H
#define CQL_INBOUND_H

#include "cql/frame.h"
#include "cql/segment.h"

/* From the bytes of a connection, cut anywhere, to frames; nothing is copied that arrives whole
 * and uncompressed. Zero-initialised reads plain frames. */
struct cql_inbound {
    bool segments; /* v5 behind the answer to STARTUP */
    bool lz4;      /* segments are in the compressed format */
    struct buf in;
    size_t taken;         /* of in */
    struct slice payload; /* what is left of the current self-contained segment */
    struct buf plain;     /* decompressed */
    struct buf large;     /* a frame that came in several segments */
    bool large_done;
};

void cql_inbound_free(struct cql_inbound *inbound);
/* Where the next bytes go; ends the life of all frames so far. */
char *cql_inbound_room(struct cql_inbound *inbound, size_t *len);
void cql_inbound_added(struct cql_inbound *inbound, size_t len);
/* The next frame, decompressed; its body is borrowed until cql_inbound_room or the next call.
 * Errors: ERR_PROTOCOL, ERR_CONNECTION for a wrong checksum; nothing works after one. */
MUST_USE enum cql_step cql_inbound_next(struct cql_inbound *inbound, struct cql_frame *frame,
                                        struct err *err);

#endif
