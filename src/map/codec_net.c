#include "map/codec_net.h"

#include <arpa/inet.h>

enum { UUID_TEXT = 36 };

static bool is_dash(size_t at)
{
    return at == 8 || at == 13 || at == 18 || at == 23;
}

bool map_uuid_to_text(const struct cql_type *type, struct slice cell, struct buf *out,
                      struct err *err)
{
    static const char hex[] = "0123456789abcdef";
    (void)type;
    (void)err;
    char *at = buf_reserve(out, UUID_TEXT);
    for (size_t i = 0, byte = 0; i < UUID_TEXT; byte++) {
        if (is_dash(i))
            at[i++] = '-';
        at[i++] = hex[(unsigned char)cell.ptr[byte] >> 4];
        at[i++] = hex[(unsigned char)cell.ptr[byte] & 15];
    }
    out->len += UUID_TEXT;
    return true;
}

static int hex_digit(char c)
{
    if (c >= '0' && c <= '9')
        return c - '0';
    if (c >= 'a' && c <= 'f')
        return c - 'a' + 10;
    return c >= 'A' && c <= 'F' ? c - 'A' + 10 : -1;
}

static bool read_uuid(struct slice text, unsigned char out[16])
{
    if (text.len != UUID_TEXT)
        return false;
    for (size_t i = 0, byte = 0; i < UUID_TEXT; byte++) {
        if (is_dash(i) && text.ptr[i++] != '-')
            return false;
        int high = hex_digit(text.ptr[i++]), low = hex_digit(text.ptr[i++]);
        if (high < 0 || low < 0)
            return false;
        out[byte] = (unsigned char)(high << 4 | low);
    }
    return true;
}

bool map_uuid_from_text(const struct cql_type *type, struct slice text, struct arena *arena,
                        struct slice *cell, struct err *err)
{
    const char *name = type->id == CQL_TIMEUUID ? "timeuuid" : "uuid";
    unsigned char bytes[16];
    if (!read_uuid(text, bytes))
        return map_refuse(err, text, "is no", name);
    if (type->id == CQL_TIMEUUID && bytes[6] >> 4 != 1) /* the server refuses others */
        return map_refuse(err, text, "is not of version 1, so it is no", name);
    *cell = arena_copy(arena, slice_of(bytes, sizeof bytes));
    return true;
}

bool map_inet_to_text(const struct cql_type *type, struct slice cell, struct buf *out,
                      struct err *err)
{
    (void)type;
    if (cell.len != 4 && cell.len != 16)
        return err_set(err, ERR_VALUE, "%zu bytes are no value of type inet", cell.len);
    static const char zeros[12];
    const unsigned char *b = (const unsigned char *)cell.ptr;
    /* inet_ntop has "::1.2.3.4" for these, the retired form. */
    if (cell.len == 16 && memcmp(b, zeros, 12) == 0 && (b[12] || b[13])) {
        buf_printf(out, "::%x:%x", b[12] << 8 | b[13], b[14] << 8 | b[15]);
        return true;
    }
    char text[INET6_ADDRSTRLEN];
    if (!inet_ntop(cell.len == 4 ? AF_INET : AF_INET6, cell.ptr, text, sizeof text))
        return err_set(err, ERR_VALUE, "no value of type inet");
    buf_append_str(out, text);
    return true;
}

bool map_inet_from_text(const struct cql_type *type, struct slice text, struct arena *arena,
                        struct slice *cell, struct err *err)
{
    (void)type;
    char copy[INET6_ADDRSTRLEN], bytes[16];
    if (text.len < sizeof copy && !memchr(text.ptr, '\0', text.len)) {
        memcpy(copy, text.ptr, text.len);
        copy[text.len] = '\0';
        bool six = strchr(copy, ':') != NULL;
        if (inet_pton(six ? AF_INET6 : AF_INET, copy, bytes) == 1) {
            *cell = arena_copy(arena, slice_of(bytes, six ? 16 : 4));
            return true;
        }
    }
    return map_refuse(err, text, "is no", "inet");
}
