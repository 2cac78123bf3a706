#ifndef CQL_FRAME_H
#define CQL_FRAME_H

#include "base/attr.h"
#include "base/err.h"
#include "base/slice.h"
#include "cql/wire.h"

#include <stdbool.h>
#include <stdint.h>

/* Frames ("envelopes" in v5), v5 specification section 2.1: the same header in v4 and v5. */
enum cql_opcode {
    CQL_OP_ERROR = 0x00,
    CQL_OP_STARTUP = 0x01,
    CQL_OP_READY = 0x02,
    CQL_OP_AUTHENTICATE = 0x03,
    CQL_OP_OPTIONS = 0x05,
    CQL_OP_SUPPORTED = 0x06,
    CQL_OP_QUERY = 0x07,
    CQL_OP_RESULT = 0x08,
    CQL_OP_PREPARE = 0x09,
    CQL_OP_EXECUTE = 0x0A,
    CQL_OP_REGISTER = 0x0B,
    CQL_OP_EVENT = 0x0C,
    CQL_OP_BATCH = 0x0D,
    CQL_OP_AUTH_CHALLENGE = 0x0E,
    CQL_OP_AUTH_RESPONSE = 0x0F,
    CQL_OP_AUTH_SUCCESS = 0x10,
};

enum cql_frame_flag {
    CQL_FLAG_COMPRESSED = 0x01, /* v4 only */
    CQL_FLAG_TRACING = 0x02,
    CQL_FLAG_PAYLOAD = 0x04,
    CQL_FLAG_WARNING = 0x08,
};

enum {
    CQL_FRAME_HEADER = 9,
    CQL_FRAME_BODY_MAX = 256 * 1024 * 1024,
    CQL_FRAME_ANSWER = 0x80, /* the direction bit of the version byte */
};

struct cql_frame {
    uint8_t version; /* without the direction bit */
    uint8_t flags;
    int16_t stream; /* -1: an event */
    uint8_t opcode;
    struct slice body;
};

/* Reads the header of an answer from CQL_FRAME_HEADER bytes. body_len is at most
 * CQL_FRAME_BODY_MAX. Errors: ERR_PROTOCOL. */
MUST_USE bool cql_frame_header(const char *bytes, struct cql_frame *frame, size_t *body_len,
                               struct err *err);

/* Appends a header whose length is filled in by cql_frame_end; returns where it starts. */
size_t cql_frame_begin(struct buf *out, int version, enum cql_opcode opcode, int16_t stream);
void cql_frame_end(struct buf *out, size_t start);

/* The message proper, behind tracing id, warnings and custom payload. The first warning (or null)
 * is borrowed from the body. Errors: ERR_PROTOCOL. */
MUST_USE bool cql_frame_open(const struct cql_frame *frame, struct cql_reader *message,
                             struct slice *warning, struct err *err);

#endif
