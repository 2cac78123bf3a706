#include "cql/token.h"

#include <string.h>

static const uint64_t c1 = 0x87c37b91114253d5, c2 = 0x4cf5ad432745937f;

void cql_token_key(const struct slice *cells, size_t count, struct buf *out)
{
    if (count == 1) {
        buf_append_slice(out, cells[0]);
        return;
    }
    for (size_t i = 0; i < count; i++) {
        buf_append_be16(out, (uint16_t)cells[i].len);
        buf_append_slice(out, cells[i]);
        buf_append_char(out, '\0');
    }
}

static uint64_t rotate(uint64_t v, int bits)
{
    return v << bits | v >> (64 - bits);
}

static uint64_t read_le64(const char *p)
{
    const unsigned char *b = (const unsigned char *)p;
    uint64_t v = 0;
    for (int i = 7; i >= 0; i--)
        v = v << 8 | b[i];
    return v;
}

static uint64_t mix(uint64_t v)
{
    v ^= v >> 33;
    v *= 0xff51afd7ed558ccd;
    v ^= v >> 33;
    v *= 0xc4ceb9fe1a85ec53;
    return v ^ v >> 33;
}

/* Bytes beyond the last whole block count with their sign: an old mistake of the server that every
 * token in the world depends on. */
static uint64_t read_tail(const char *p, size_t count)
{
    uint64_t v = 0;
    for (size_t i = 0; i < count; i++)
        v ^= (uint64_t)(int64_t)(signed char)p[i] << 8 * i;
    return v;
}

int64_t cql_token(struct slice key)
{
    uint64_t h1 = 0, h2 = 0;
    const size_t whole = key.len / 16 * 16, rest = key.len - whole;
    for (size_t at = 0; at < whole; at += 16) {
        h1 ^= rotate(read_le64(key.ptr + at) * c1, 31) * c2;
        h1 = (rotate(h1, 27) + h2) * 5 + 0x52dce729;
        h2 ^= rotate(read_le64(key.ptr + at + 8) * c2, 33) * c1;
        h2 = (rotate(h2, 31) + h1) * 5 + 0x38495ab5;
    }
    if (rest > 8)
        h2 ^= rotate(read_tail(key.ptr + whole + 8, rest - 8) * c2, 33) * c1;
    if (rest > 0)
        h1 ^= rotate(read_tail(key.ptr + whole, rest > 8 ? 8 : rest) * c1, 31) * c2;
    h1 ^= key.len;
    h2 ^= key.len;
    h1 += h2;
    h2 += h1;
    const int64_t token = (int64_t)(mix(h1) + mix(h2));
    return token == INT64_MIN ? INT64_MAX : token; /* the lowest one means "no token" */
}
