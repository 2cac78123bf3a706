#ifndef CQL_SEGMENT_H
#define CQL_SEGMENT_H

#include "base/attr.h"
#include "base/buf.h"
#include "base/err.h"
#include "base/slice.h"

#include <stdbool.h>

/* Segments of protocol v5 ("frames" there), v5 specification section 2.2: a small header with
 * CRC24 and a payload with CRC32 around one or more frames, or around a part of one. */
enum { CQL_SEGMENT_PAYLOAD_MAX = 128 * 1024 - 1 };

struct cql_segment {
    bool self_contained;  /* whole frames only */
    size_t plain_len;     /* LZ4: of the payload decompressed; 0: it is plain */
    struct slice payload; /* borrowed from what was decoded */
};

enum cql_step { CQL_STEP_ERROR = -1, CQL_STEP_MORE = 0, CQL_STEP_DONE = 1 };

/* Decodes one segment at the start of bytes. DONE: *used bytes were taken. MORE: bytes is a
 * beginning; *used bytes are needed to go on. Errors: ERR_CONNECTION for a wrong checksum,
 * ERR_PROTOCOL for impossible lengths. */
MUST_USE enum cql_step cql_segment_decode(struct slice bytes, bool lz4, struct cql_segment *segment,
                                          size_t *used, struct err *err);
/* The payload as it was before compression, appended to out. Errors: ERR_PROTOCOL. */
MUST_USE bool cql_segment_unpack(const struct cql_segment *segment, struct buf *out,
                                 struct err *err);

/* Wraps whole frames, one behind the other: as many as fit into each self-contained segment, a
 * larger one cut into several. */
void cql_segment_pack(struct buf *out, struct slice frames, bool lz4);

#endif
