#include "map/order.h"

#include "cql/statement.h"
#include "map/order_big.h"
#include "map/parts.h"

#include <math.h>
#include <stdlib.h>

static int by_bytes(struct slice a, struct slice b)
{
    const size_t len = a.len < b.len ? a.len : b.len;
    const int order = len ? memcmp(a.ptr, b.ptr, len) : 0;
    return order ? order : (a.len > b.len) - (a.len < b.len);
}

static int by_i64(int64_t a, int64_t b)
{
    return (a > b) - (a < b);
}

static int by_u64(uint64_t a, uint64_t b)
{
    return (a > b) - (a < b);
}

static double real_of(struct slice cell)
{
    const int64_t bits = cql_decode_int(cell);
    if (cell.len == 4) {
        const uint32_t half = (uint32_t)bits;
        float v;
        memcpy(&v, &half, sizeof v);
        return v;
    }
    double v;
    memcpy(&v, &bits, sizeof v);
    return v;
}

/* As Java has it: -0.0 below 0.0, all NaN equal and above everything. */
static int by_real(struct slice a, struct slice b)
{
    const double x = real_of(a), y = real_of(b);
    if (isnan(x) || isnan(y))
        return isnan(x) - isnan(y);
    if (x != y)
        return x < y ? -1 : 1;
    return !!signbit(y) - !!signbit(x);
}

static uint64_t word(struct slice uuid, size_t at)
{
    return (uint64_t)cql_decode_int(slice_of(uuid.ptr + at, 8));
}

/* The time of a version 1 uuid, its highest bits first. */
static uint64_t time_of(struct slice uuid)
{
    const uint64_t w = word(uuid, 0);
    return (w & 0xFFF) << 48 | (w >> 16 & 0xFFFF) << 32 | w >> 32;
}

static int by_uuid(struct slice a, struct slice b)
{
    const int version = (unsigned char)a.ptr[6] >> 4, other = (unsigned char)b.ptr[6] >> 4;
    if (version != other)
        return version - other;
    const int order =
        version == 1 ? by_u64(time_of(a), time_of(b)) : by_u64(word(a, 0), word(b, 0));
    return order ? order : by_u64(word(a, 8), word(b, 8));
}

/* The rest of a timeuuid is compared as signed bytes. */
static int by_timeuuid(struct slice a, struct slice b)
{
    const uint64_t signs = 0x8080808080808080U;
    const int order = by_u64(time_of(a), time_of(b));
    return order ? order : by_u64(word(a, 8) ^ signs, word(b, 8) ^ signs);
}

static int by_parts(const struct cql_type *type, struct slice a, struct slice b)
{
    struct map_parts x, y;
    struct slice v, w;
    int order = 0;
    if (!map_parts_open(&x, type, a, NULL) || !map_parts_open(&y, type, b, NULL))
        return by_bytes(a, b);
    for (uint32_t i = 0; !order && i < x.count && i < y.count; i++) {
        if (!map_parts_next(&x, &v, NULL) || !map_parts_next(&y, &w, NULL))
            return by_bytes(a, b);
        if (slice_is_null(v) || slice_is_null(w))
            order = slice_is_null(w) - slice_is_null(v);
        else
            order = map_order(map_parts_type(type, i), v, w);
    }
    return order ? order : by_u64(x.count, y.count);
}

int map_order(const struct cql_type *type, struct slice a, struct slice b)
{
    if (a.len == 0 || b.len == 0)
        return (a.len > 0) - (b.len > 0);
    switch (type->id) {
    case CQL_TINYINT:
    case CQL_SMALLINT:
    case CQL_INT:
    case CQL_BIGINT:
    case CQL_TIMESTAMP:
        return by_i64(cql_decode_int(a), cql_decode_int(b));
    case CQL_VARINT:
        return map_varint_order(a, b);
    case CQL_DECIMAL:
        return map_decimal_order(a, b);
    case CQL_FLOAT:
    case CQL_DOUBLE:
        return by_real(a, b);
    case CQL_UUID:
    case CQL_TIMEUUID:
        if (a.len != 16 || b.len != 16)
            return by_bytes(a, b);
        return type->id == CQL_UUID ? by_uuid(a, b) : by_timeuuid(a, b);
    case CQL_LIST:
    case CQL_SET:
    case CQL_MAP:
    case CQL_TUPLE:
    case CQL_UDT:
    case CQL_VECTOR:
        return by_parts(type, a, b);
    default:
        return by_bytes(a, b);
    }
}

/* --- sorting */

/* Equal values of other bytes: which of them stays must not depend on where they stood. */
static int by_value(const void *a, const void *b, void *type)
{
    const struct slice *x = a, *y = b;
    const int order = map_order(type, *x, *y);
    return order ? order : by_bytes(*x, *y);
}

static bool is_sorted(const struct cql_type *type, const struct slice *cells, uint32_t count,
                      uint32_t step)
{
    for (uint32_t i = step; i < count; i += step)
        if (map_order(type, cells[i - step], cells[i]) >= 0)
            return false;
    return true;
}

uint32_t map_order_set(const struct cql_type *type, struct slice *values, uint32_t count)
{
    const struct cql_type *element = type->elements[0];
    if (is_sorted(element, values, count, 1))
        return count;
    qsort_r(values, count, sizeof *values, by_value, (void *)element);
    uint32_t kept = 1;
    for (uint32_t i = 1; i < count; i++)
        if (map_order(element, values[kept - 1], values[i]) != 0)
            values[kept++] = values[i];
    return kept;
}

bool map_order_map(const struct cql_type *type, struct slice *cells, uint32_t count)
{
    const struct cql_type *key = type->elements[0];
    if (is_sorted(key, cells, count, 2))
        return true;
    qsort_r(cells, count / 2, 2 * sizeof *cells, by_value, (void *)key);
    return is_sorted(key, cells, count, 2);
}
