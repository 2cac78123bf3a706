#include "map/codec_blob.h"

static const char alphabet[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";

bool map_blob_to_text(const struct cql_type *type, struct slice cell, struct buf *out,
                      struct err *err)
{
    (void)type;
    (void)err;
    const unsigned char *p = (const unsigned char *)cell.ptr;
    char *at = buf_reserve(out, cell.len / 3 * 4 + 4);
    for (size_t i = 0; i < cell.len; i += 3) {
        size_t left = cell.len - i;
        uint32_t v = (uint32_t)p[i] << 16 | (left > 1 ? (uint32_t)p[i + 1] << 8 : 0) |
                     (left > 2 ? p[i + 2] : 0);
        *at++ = alphabet[v >> 18];
        *at++ = alphabet[v >> 12 & 63];
        *at++ = left > 1 ? alphabet[v >> 6 & 63] : '=';
        *at++ = left > 2 ? alphabet[v & 63] : '=';
    }
    out->len = (size_t)(at - out->ptr);
    return true;
}

static int digit_of(char c)
{
    if (c >= 'A' && c <= 'Z')
        return c - 'A';
    if (c >= 'a' && c <= 'z')
        return c - 'a' + 26;
    if (c >= '0' && c <= '9')
        return c - '0' + 52;
    return c == '+' ? 62 : c == '/' ? 63 : -1;
}

bool map_blob_from_text(const struct cql_type *type, struct slice text, struct arena *arena,
                        struct slice *cell, struct err *err)
{
    (void)type;
    size_t padding = 0;
    while (padding < 2 && padding < text.len && text.ptr[text.len - 1 - padding] == '=')
        padding++;
    bool ok = text.len % 4 == 0;
    unsigned char *bytes = arena_alloc(arena, text.len / 4 * 3 + 1);
    size_t len = 0;
    uint32_t v = 0;
    for (size_t i = 0; ok && i < text.len - padding; i++) {
        int digit = digit_of(text.ptr[i]);
        ok = digit >= 0;
        v = v << 6 | (uint32_t)(digit & 63);
        if (i % 4 > 0)
            bytes[len++] = (unsigned char)(v >> (6 - 2 * (i % 4)));
    }
    /* Bits that no byte takes would be lost. */
    if (!ok || (padding && v & (padding == 1 ? 3 : 15)))
        return map_refuse(err, text, "is no base64 for", "blob");
    *cell = slice_of(bytes, len);
    return true;
}
