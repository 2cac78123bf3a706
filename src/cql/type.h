#ifndef CQL_TYPE_H
#define CQL_TYPE_H

#include "base/arena.h"
#include "base/buf.h"
#include "base/err.h"

#include <stdbool.h>
#include <stdint.h>

/* CQL types, native protocol v5 specification section 4.2.5.2 (option ids) and 6 (encodings). */
enum cql_type_id {
    CQL_CUSTOM = 0x0000,
    CQL_ASCII = 0x0001,
    CQL_BIGINT = 0x0002,
    CQL_BLOB = 0x0003,
    CQL_BOOLEAN = 0x0004,
    CQL_COUNTER = 0x0005,
    CQL_DECIMAL = 0x0006,
    CQL_DOUBLE = 0x0007,
    CQL_FLOAT = 0x0008,
    CQL_INT = 0x0009,
    CQL_TIMESTAMP = 0x000B,
    CQL_UUID = 0x000C,
    CQL_VARCHAR = 0x000D, /* text too */
    CQL_VARINT = 0x000E,
    CQL_TIMEUUID = 0x000F,
    CQL_INET = 0x0010,
    CQL_DATE = 0x0011,
    CQL_TIME = 0x0012,
    CQL_SMALLINT = 0x0013,
    CQL_TINYINT = 0x0014,
    CQL_DURATION = 0x0015,
    CQL_LIST = 0x0020,
    CQL_MAP = 0x0021,
    CQL_SET = 0x0022,
    CQL_UDT = 0x0030,
    CQL_TUPLE = 0x0031,
    CQL_VECTOR = 0x10000, /* ours: on the wire it is CUSTOM with the class VectorType */
};

struct cql_type {
    enum cql_type_id id;
    /* list, set: 1; map: key, value; tuple, udt: the fields; vector: 1 */
    const struct cql_type *const *elements;
    uint32_t element_count;
    uint32_t dimensions;             /* vector */
    struct slice keyspace, name;     /* udt; name also: the class of a custom type */
    const struct slice *field_names; /* udt: element_count of them */
    bool frozen;                     /* as cql_type_parse read it: the wire does not tell */
    bool non_finite_text;            /* for map/: NaN and the infinities have a text form */
};

enum { CQL_TYPE_DEPTH_MAX = 16 };

/* Reads one [option] at *at (moved behind it). Result and names live in arena (names are copied).
 * Errors: ERR_PROTOCOL for a truncated, unknown or too deeply nested option, and when arena has
 * grown beyond 64 MiB. */
MUST_USE const struct cql_type *cql_type_decode(struct slice *at, struct arena *arena,
                                                struct err *err);
/* Reads the form of system_schema.columns: "int", "frozen<list<text>>", "vector<float, 3>".
 * User-defined types are left as CQL_UDT with a name and no fields. Errors: ERR_SCHEMA. */
MUST_USE const struct cql_type *cql_type_parse(struct slice text, struct arena *arena,
                                               struct err *err);
/* The CQL spelling ("text" for varchar). */
void cql_type_append(struct buf *out, const struct cql_type *type);

#endif
