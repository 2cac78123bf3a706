#ifndef CQL_WIRE_H
#define CQL_WIRE_H

#include "base/attr.h"
#include "base/buf.h"
#include "base/slice.h"
#include "cql/statement.h"

#include <stdbool.h>
#include <stdint.h>

/* The notations of the protocol, v5 specification section 3. */

/* Reads foreign bytes. A read beyond the end gives zero or a null slice and sets bad for good, so
 * that a decoder may check once, before it uses a length or a count that it has read. */
struct cql_reader {
    const char *at;
    size_t left;
    bool bad;
};

static inline struct cql_reader cql_reader_of(struct slice s)
{
    return (struct cql_reader){.at = s.ptr, .left = s.len};
}
static inline struct slice cql_reader_rest(const struct cql_reader *r)
{
    return slice_of(r->at ? r->at : "", r->left);
}

uint8_t cql_read_u8(struct cql_reader *r);
uint16_t cql_read_u16(struct cql_reader *r);
int32_t cql_read_i32(struct cql_reader *r);
/* Borrowed from what is read, as all slices below. */
struct slice cql_read_raw(struct cql_reader *r, size_t len);
/* [string] and [short bytes] */
struct slice cql_read_string(struct cql_reader *r);
/* [bytes]; any negative length is null */
struct slice cql_read_bytes(struct cql_reader *r);
/* [inetaddr] or [inet] without its port */
struct slice cql_read_address(struct cql_reader *r);
/* [string multimap]: whether key has value; moves behind the map. */
bool cql_read_multimap_has(struct cql_reader *r, const char *key, const char *value);

/* [string] and [short bytes]; at most 65535 bytes */
void cql_write_string(struct buf *out, struct slice s);
/* [long string] and [bytes]; at most INT32_MAX bytes */
void cql_write_long_string(struct buf *out, struct slice s);
/* [value] */
void cql_write_value(struct buf *out, const struct cql_value *value);

#endif
