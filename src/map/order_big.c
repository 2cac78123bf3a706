#include "map/order_big.h"

#include "cql/statement.h"
#include "map/codec_big.h"

static int by_bytes(struct slice a, struct slice b)
{
    const size_t len = a.len < b.len ? a.len : b.len;
    const int order = len ? memcmp(a.ptr, b.ptr, len) : 0;
    return order ? order : (a.len > b.len) - (a.len < b.len);
}

struct slice map_varint_trim(struct slice cell)
{
    while (cell.len > 1 &&
           (cell.ptr[0] == 0 ? (cell.ptr[1] & 0x80) == 0
                             : (unsigned char)cell.ptr[0] == 0xFF && (cell.ptr[1] & 0x80)))
        cell = slice_of(cell.ptr + 1, cell.len - 1);
    return cell;
}

static bool is_negative(struct slice cell)
{
    return cell.len && (cell.ptr[0] & 0x80);
}

int map_varint_order(struct slice a, struct slice b)
{
    a = map_varint_trim(a);
    b = map_varint_trim(b);
    if (is_negative(a) != is_negative(b))
        return is_negative(a) ? -1 : 1;
    if (a.len != b.len)
        return (a.len > b.len) != is_negative(a) ? 1 : -1;
    return by_bytes(a, b);
}

struct decimal {
    struct buf digits; /* without zeros at the end; empty: zero */
    int64_t magnitude; /* 10^magnitude is above the number */
    int sign;
};

static bool read_decimal(struct slice cell, struct decimal *d)
{
    bool negative;
    *d = (struct decimal){0};
    if (cell.len < 5 ||
        !map_big_digits(slice_of(cell.ptr + 4, cell.len - 4), "", &d->digits, &negative, NULL))
        return false;
    d->magnitude = (int64_t)d->digits.len - cql_decode_int(slice_of(cell.ptr, 4));
    while (d->digits.len && d->digits.ptr[d->digits.len - 1] == '0')
        d->digits.len--;
    d->sign = d->digits.len == 0 ? 0 : negative ? -1 : 1;
    return true;
}

static int by_decimal(const struct decimal *a, const struct decimal *b)
{
    if (a->sign != b->sign || a->sign == 0)
        return a->sign - b->sign;
    if (a->magnitude != b->magnitude)
        return a->magnitude > b->magnitude ? a->sign : -a->sign;
    return a->sign * by_bytes(buf_slice(&a->digits), buf_slice(&b->digits));
}

int map_decimal_order(struct slice a, struct slice b)
{
    struct decimal x, y = {0};
    const bool ok = read_decimal(a, &x) && read_decimal(b, &y);
    const int order = ok ? by_decimal(&x, &y) : by_bytes(a, b);
    buf_free(&x.digits);
    buf_free(&y.digits);
    return order;
}
