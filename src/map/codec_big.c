#include "map/codec_big.h"

#include "base/mem.h"
#include "cql/statement.h"

#include <stdlib.h>

enum {
    DIGITS_MAX = 10000, /* conversion costs the square of them */
    BYTES_MAX = DIGITS_MAX * 10 / 24 + 2,
    NUMBER_MAX = 1000, /* characters of a JSON number that every server takes */
    CHUNK = 9,         /* digits that fit into 32 bits */
    BILLION = 1000000000,
};

/* --- bytes (big-endian two's complement, shortest form) to digits and back */

/* The magnitude's bytes, big-endian; returns how many. out has room for cell.len of them. */
static size_t magnitude(struct slice cell, unsigned char *out, bool *negative)
{
    *negative = cell.len && (unsigned char)cell.ptr[0] & 0x80;
    unsigned carry = 1;
    for (size_t i = cell.len; i-- > 0;) {
        unsigned char byte = (unsigned char)cell.ptr[i];
        if (*negative) {
            unsigned sum = (unsigned char)~byte + carry;
            byte = (unsigned char)sum;
            carry = sum >> 8;
        }
        out[i] = byte;
    }
    return cell.len;
}

/* Divides by 10^9 in place and returns the remainder. */
static uint32_t divide(unsigned char *bytes, size_t count)
{
    uint64_t rest = 0;
    for (size_t i = 0; i < count; i++) {
        rest = rest << 8 | bytes[i];
        bytes[i] = (unsigned char)(rest / BILLION);
        rest %= BILLION;
    }
    return (uint32_t)rest;
}

/* Appends the digits without sign; nothing for zero. */
static void append_digits(struct buf *out, unsigned char *bytes, size_t count)
{
    char *text = mem_alloc(count * 3 + CHUNK);
    size_t at = count * 3 + CHUNK, end = at;
    for (size_t first = 0;;) {
        while (first < count && bytes[first] == 0)
            first++;
        if (first == count)
            break;
        uint32_t chunk = divide(bytes + first, count - first);
        for (int i = 0; i < CHUNK; i++, chunk /= 10)
            text[--at] = (char)('0' + chunk % 10);
    }
    while (at < end && text[at] == '0')
        at++;
    buf_append(out, text + at, end - at);
    free(text);
}

bool map_big_digits(struct slice cell, const char *name, struct buf *digits, bool *negative,
                    struct err *err)
{
    if (cell.len == 0)
        return err_set(err, ERR_VALUE, "empty value of type %s", name);
    if (cell.len > BYTES_MAX)
        return err_set(err, ERR_VALUE, "%zu bytes are too many for type %s here", cell.len, name);
    unsigned char bytes[BYTES_MAX];
    append_digits(digits, bytes, magnitude(cell, bytes, negative));
    if (digits->len > DIGITS_MAX)
        return err_set(err, ERR_VALUE, "more than 10000 digits in type %s", name);
    if (digits->len == 0)
        buf_append_char(digits, '0');
    return true;
}

/* number = number * factor + carry, in the bytes from *first to room; *first moves as it grows. */
static void multiply(unsigned char *number, size_t room, size_t *first, uint32_t factor,
                     uint64_t carry)
{
    size_t at = room;
    while (at > *first || carry) {
        uint64_t v = (uint64_t)number[--at] * factor + carry;
        number[at] = (unsigned char)v;
        carry = v >> 8;
    }
    *first = at < *first ? at : *first;
}

/* digits (only those) with zeros more behind them as a cell that starts with prefix. */
static struct slice build_cell(struct slice prefix, struct slice digits, size_t zeros,
                               bool negative, struct arena *arena)
{
    /* 3.33 bits a digit, so half a byte each is enough; one byte more for the sign. */
    size_t room = (digits.len + zeros) / 2 + 2, first = room;
    unsigned char *bytes = arena_zalloc(arena, prefix.len + room), *number = bytes + prefix.len;
    for (size_t i = 0; i < digits.len + zeros;) {
        uint32_t factor = 1, chunk = 0;
        for (int k = 0; k < CHUNK && i < digits.len + zeros; k++, i++) {
            factor *= 10;
            chunk = chunk * 10 + (i < digits.len ? (uint32_t)(digits.ptr[i] - '0') : 0);
        }
        multiply(number, room, &first, factor, chunk);
    }
    for (size_t at = room, carry = 1; negative && at-- > 0;) {
        size_t v = (unsigned char)~number[at] + carry;
        number[at] = (unsigned char)v;
        carry = v >> 8;
    }
    size_t skip = 0;
    while (skip + 1 < room && (number[skip] == 0 || number[skip] == 0xFF) &&
           (number[skip] & 0x80) == (number[skip + 1] & 0x80))
        skip++;
    memmove(number + skip - prefix.len, prefix.ptr, prefix.len);
    return slice_of(number + skip - prefix.len, prefix.len + room - skip);
}

/* --- text to digits and exponent */

struct number {
    struct buf digits; /* without leading zeros: empty is zero */
    int64_t exponent;
    bool negative;
};

static bool read_exponent(struct slice s, int64_t *out)
{
    bool negative = s.len && s.ptr[0] == '-';
    size_t at = s.len && (s.ptr[0] == '-' || s.ptr[0] == '+');
    if (at == s.len)
        return false;
    int64_t v = 0;
    for (; at < s.len; at++) {
        if (s.ptr[at] < '0' || s.ptr[at] > '9')
            return false;
        v = v > (int64_t)1 << 40 ? v : v * 10 + (s.ptr[at] - '0');
    }
    *out = negative ? -v : v;
    return true;
}

/* The grammar of a JSON number, leading zeros and up to DIGITS_MAX significant digits. */
static bool read_number(struct slice text, struct number *n, const char *name, struct err *err)
{
    size_t at = 0, before = 0, behind = 0;
    bool point = false;
    n->negative = text.len && text.ptr[0] == '-';
    for (at = n->negative; at < text.len; at++) {
        char c = text.ptr[at];
        if (c == '.' && !point && before) {
            point = true;
            continue;
        }
        if (c < '0' || c > '9')
            break;
        *(point ? &behind : &before) += 1;
        if (n->digits.len || c != '0')
            buf_append_char(&n->digits, c);
        if (n->digits.len > DIGITS_MAX)
            return map_refuse(err, text, "has more than 10000 digits for", name);
    }
    if (!before || (point && !behind))
        return map_refuse(err, text, "is no", name);
    if (at < text.len &&
        ((text.ptr[at] != 'e' && text.ptr[at] != 'E') ||
         !read_exponent(slice_of(text.ptr + at + 1, text.len - at - 1), &n->exponent)))
        return map_refuse(err, text, "is no", name);
    n->exponent -= (int64_t)behind;
    return true;
}

/* --- varint */

bool map_varint_to_text(const struct cql_type *type, struct slice cell, struct buf *out,
                        struct err *err)
{
    (void)type;
    struct buf digits = {0};
    bool negative = false, ok = map_big_digits(cell, "varint", &digits, &negative, err);
    if (negative)
        buf_append_char(out, '-');
    buf_append_slice(out, buf_slice(&digits));
    buf_free(&digits);
    return ok;
}

bool map_varint_to_json(const struct cql_type *type, struct slice cell, struct buf *out,
                        struct err *err)
{
    const size_t start = out->len;
    if (!map_varint_to_text(type, cell, out, err))
        return false;
    if (out->len - start <= NUMBER_MAX)
        return true;
    buf_append_str(out, "\"\"");
    memmove(out->ptr + start + 1, out->ptr + start, out->len - start - 2);
    out->ptr[start] = '"';
    return true;
}

static bool put_varint(struct slice text, struct number *n, struct arena *arena, struct slice *cell,
                       struct err *err)
{
    struct buf *digits = &n->digits;
    while (n->exponent < 0 && digits->len && digits->ptr[digits->len - 1] == '0') {
        digits->len--;
        n->exponent++;
    }
    if (digits->len == 0)
        n->exponent = 0;
    if (n->exponent < 0)
        return map_refuse(err, text, "has a fraction and is no", "varint");
    if (n->exponent > DIGITS_MAX || digits->len + (size_t)n->exponent > DIGITS_MAX)
        return map_refuse(err, text, "has more than 10000 digits for", "varint");
    *cell = build_cell(SLICE_LIT(""), buf_slice(digits), (size_t)n->exponent, n->negative, arena);
    return true;
}

bool map_varint_from_text(const struct cql_type *type, struct slice text, struct arena *arena,
                          struct slice *cell, struct err *err)
{
    (void)type;
    struct number n = {0};
    bool ok = read_number(text, &n, "varint", err) && put_varint(text, &n, arena, cell, err);
    buf_free(&n.digits);
    return ok;
}

bool map_varint_from_json(const struct cql_type *type, const struct json_node *node,
                          struct arena *arena, struct slice *cell, struct err *err)
{
    const bool long_text = node->type == JSON_STRING && node->text.len > NUMBER_MAX;
    if (node->type != JSON_NUMBER && !long_text)
        return map_refuse_node(err, node, "varint");
    return map_varint_from_text(type, node->text, arena, cell, err);
}

/* --- decimal: scale (4 bytes), then the unscaled value as a varint */

static void append_scaled(struct buf *out, struct slice digits, int64_t scale)
{
    enum { ZEROS_MAX = 20 };
    if (scale < 0 || scale > (int64_t)digits.len + ZEROS_MAX) {
        buf_append_slice(out, digits);
        buf_append_str(out, scale < 0 ? "E+" : "E");
        buf_append_i64_text(out, -scale);
        return;
    }
    size_t behind = (size_t)scale, before = digits.len > behind ? digits.len - behind : 0;
    buf_append(out, before ? digits.ptr : "0", before ? before : 1);
    if (behind == 0)
        return;
    buf_append_char(out, '.');
    for (size_t i = digits.len; i < behind; i++)
        buf_append_char(out, '0');
    buf_append(out, digits.ptr + before, digits.len - before);
}

bool map_decimal_to_text(const struct cql_type *type, struct slice cell, struct buf *out,
                         struct err *err)
{
    (void)type;
    if (cell.len < 5)
        return err_set(err, ERR_VALUE, "%zu bytes are no value of type decimal", cell.len);
    struct buf digits = {0};
    bool negative = false;
    bool ok =
        map_big_digits(slice_of(cell.ptr + 4, cell.len - 4), "decimal", &digits, &negative, err);
    if (negative)
        buf_append_char(out, '-');
    if (ok)
        append_scaled(out, buf_slice(&digits), cql_decode_int(slice_of(cell.ptr, 4)));
    buf_free(&digits);
    return ok;
}

bool map_decimal_from_text(const struct cql_type *type, struct slice text, struct arena *arena,
                           struct slice *cell, struct err *err)
{
    (void)type;
    struct number n = {0};
    char scale[4];
    bool ok = read_number(text, &n, "decimal", err);
    if (ok && (-n.exponent > INT32_MAX || -n.exponent < INT32_MIN))
        ok = map_refuse(err, text, "does not fit into", "decimal");
    if (ok)
        *cell = build_cell(cql_encode_i32(scale, (int32_t)-n.exponent), buf_slice(&n.digits), 0,
                           n.negative, arena);
    buf_free(&n.digits);
    return ok;
}

bool map_decimal_from_json(const struct cql_type *type, const struct json_node *node,
                           struct arena *arena, struct slice *cell, struct err *err)
{
    if (node->type != JSON_NUMBER && node->type != JSON_STRING)
        return map_refuse_node(err, node, "decimal");
    return map_decimal_from_text(type, node->text, arena, cell, err);
}
