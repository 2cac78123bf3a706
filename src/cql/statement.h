#ifndef CQL_STATEMENT_H
#define CQL_STATEMENT_H

#include "base/slice.h"

#include <stdbool.h>
#include <stdint.h>

enum cql_consistency {
    CQL_ANY = 0x0000,
    CQL_ONE = 0x0001,
    CQL_TWO = 0x0002,
    CQL_THREE = 0x0003,
    CQL_QUORUM = 0x0004,
    CQL_ALL = 0x0005,
    CQL_LOCAL_QUORUM = 0x0006,
    CQL_EACH_QUORUM = 0x0007,
    CQL_LOCAL_ONE = 0x000A,
};

enum cql_batch_kind { CQL_BATCH_LOGGED = 0, CQL_BATCH_UNLOGGED = 1 };

/* A bound value in its CQL encoding. */
struct cql_value {
    enum { CQL_VALUE_SET, CQL_VALUE_NULL, CQL_VALUE_UNSET } kind; /* unset: leaves the column */
    struct slice bytes;
};

static inline struct cql_value cql_value_of(struct slice bytes)
{
    return (struct cql_value){bytes.ptr ? CQL_VALUE_SET : CQL_VALUE_NULL, bytes};
}

/* Either prepared or text; a write timestamp of one statement is a bind marker of its text
 * (USING TIMESTAMP ?). */
struct cql_prepared;
struct cql_statement {
    const struct cql_prepared *prepared;
    struct slice text;
    const struct cql_value *values;
    size_t value_count;
};

struct cql_execution {
    enum cql_consistency consistency;
    int32_t page_size;         /* rows; 0: not paged */
    struct slice paging_state; /* of the result before, or null */
    bool has_timestamp;        /* default write timestamp of statements without one, in µs */
    int64_t timestamp;
    uint64_t timeout_ms; /* 0: the client's */
    /* Once or several times, it is the same: the client repeats it within its timeout when a node
     * fails, is overloaded, or misses replicas. SELECTs are repeated anyway. */
    bool repeatable;
};

/* Fixed-size encodings, written to 8 (or 4) bytes of the caller's. */
static inline struct slice cql_encode_i64(char out[8], int64_t v)
{
    for (int i = 0; i < 8; i++)
        out[i] = (char)((uint64_t)v >> (56 - 8 * i));
    return slice_of(out, 8);
}
static inline struct slice cql_encode_i32(char out[4], int32_t v)
{
    for (int i = 0; i < 4; i++)
        out[i] = (char)((uint32_t)v >> (24 - 8 * i));
    return slice_of(out, 4);
}
/* A big-endian two's complement integer of 1 to 8 bytes. */
static inline int64_t cql_decode_int(struct slice s)
{
    int64_t v = s.len && ((unsigned char)s.ptr[0] & 0x80) ? -1 : 0;
    for (size_t i = 0; i < s.len && i < 8; i++)
        v = (int64_t)((uint64_t)v << 8 | (unsigned char)s.ptr[i]);
    return v;
}

#endif
