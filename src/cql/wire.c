#include "cql/wire.h"

struct slice cql_read_raw(struct cql_reader *r, size_t len)
{
    if (r->bad || r->left < len) {
        r->bad = true;
        r->left = 0;
        return SLICE_NULL;
    }
    struct slice s = slice_of(r->at ? r->at : "", len);
    r->at += len;
    r->left -= len;
    return s;
}

static uint32_t read_uint(struct cql_reader *r, size_t size)
{
    const struct slice s = cql_read_raw(r, size);
    uint32_t v = 0;
    for (size_t i = 0; i < s.len; i++)
        v = v << 8 | (unsigned char)s.ptr[i];
    return v;
}

uint8_t cql_read_u8(struct cql_reader *r)
{
    return (uint8_t)read_uint(r, 1);
}

uint16_t cql_read_u16(struct cql_reader *r)
{
    return (uint16_t)read_uint(r, 2);
}

int32_t cql_read_i32(struct cql_reader *r)
{
    return (int32_t)read_uint(r, 4);
}

struct slice cql_read_string(struct cql_reader *r)
{
    return cql_read_raw(r, cql_read_u16(r));
}

struct slice cql_read_bytes(struct cql_reader *r)
{
    const int32_t len = cql_read_i32(r);
    return len < 0 ? SLICE_NULL : cql_read_raw(r, (size_t)len);
}

struct slice cql_read_address(struct cql_reader *r)
{
    const uint8_t len = cql_read_u8(r);
    if (len != 4 && len != 16)
        r->bad = true;
    return cql_read_raw(r, len);
}

bool cql_read_multimap_has(struct cql_reader *r, const char *key, const char *value)
{
    bool found = false;
    for (unsigned keys = cql_read_u16(r); keys > 0 && !r->bad; keys--) {
        const bool wanted = slice_is(cql_read_string(r), key);
        for (unsigned values = cql_read_u16(r); values > 0 && !r->bad; values--)
            found |= slice_is(cql_read_string(r), value) && wanted;
    }
    return found && !r->bad;
}

void cql_write_string(struct buf *out, struct slice s)
{
    buf_append_be16(out, (uint16_t)s.len);
    buf_append_slice(out, s);
}

void cql_write_long_string(struct buf *out, struct slice s)
{
    buf_append_be32(out, (uint32_t)s.len);
    buf_append_slice(out, s);
}

void cql_write_value(struct buf *out, const struct cql_value *value)
{
    switch (value->kind) {
    case CQL_VALUE_SET:
        cql_write_long_string(out, value->bytes);
        break;
    case CQL_VALUE_NULL:
        buf_append_be32(out, (uint32_t)-1);
        break;
    case CQL_VALUE_UNSET:
        buf_append_be32(out, (uint32_t)-2);
        break;
    }
}
