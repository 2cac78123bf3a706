#include "map/normal.h"

#include "cql/statement.h"
#include "map/codec.h"
#include "map/order.h"
#include "map/order_big.h"
#include "map/parts.h"

bool map_normal_needed(const struct cql_type *type)
{
    switch (type->id) {
    case CQL_BOOLEAN:
    case CQL_FLOAT:
    case CQL_DOUBLE:
    case CQL_VARINT:
    case CQL_DECIMAL:
    case CQL_DURATION:
    case CQL_SET:
    case CQL_MAP:
    case CQL_TUPLE:
    case CQL_UDT:
        return true;
    case CQL_VECTOR: /* lengths have longer forms, too */
        return map_parts_size(type->elements[0]) == 0 || map_normal_needed(type->elements[0]);
    case CQL_LIST:
        return map_normal_needed(type->elements[0]);
    default:
        return false;
    }
}

/* All NaN are one. */
static struct slice normal_real(struct slice cell)
{
    static const char nan4[] = "\x7f\xc0\0\0", nan8[] = "\x7f\xf8\0\0\0\0\0\0";
    if (cell.len == 0 || (cell.ptr[0] & 0x7F) != 0x7F)
        return cell;
    const uint64_t bits = (uint64_t)cql_decode_int(cell);
    if (cell.len == 4 && (bits & 0x7FFFFFFF) > 0x7F800000)
        return slice_of(nan4, 4);
    if (cell.len == 8 && (bits & INT64_MAX) > 0x7FF0000000000000)
        return slice_of(nan8, 8);
    return cell;
}

static struct slice normal_decimal(struct slice cell, struct arena *arena)
{
    if (cell.len < 5)
        return cell;
    const struct slice digits = map_varint_trim(slice_of(cell.ptr + 4, cell.len - 4));
    if (digits.len == cell.len - 4)
        return cell;
    char *copy = arena_alloc(arena, 4 + digits.len);
    memcpy(copy, cell.ptr, 4);
    memcpy(copy + 4, digits.ptr, digits.len);
    return slice_of(copy, 4 + digits.len);
}

/* The text has one encoding only. */
static struct slice normal_text(const struct cql_type *type, struct slice cell, struct arena *arena)
{
    const struct map_codec *codec = map_codec_find(type->id);
    struct buf text = {0};
    struct slice again;
    const bool ok = codec->to_text(type, cell, &text, NULL) &&
                    codec->from_text(type, buf_slice(&text), arena, &again, NULL);
    buf_free(&text);
    return ok ? again : cell;
}

static bool read_parts(struct map_parts *parts, struct slice *values)
{
    for (uint32_t i = 0; i < parts->count; i++)
        if (!map_parts_next(parts, &values[i], NULL))
            return false;
    return map_parts_close(parts, NULL);
}

/* The fewest bytes that one value takes: what says how many there are is foreign. */
static bool may_hold(const struct map_parts *parts)
{
    const bool counted =
        parts->type->id == CQL_LIST || parts->type->id == CQL_SET || parts->type->id == CQL_MAP;
    return !counted || parts->count <= parts->rest.len / 4;
}

static struct slice normal_parts(const struct cql_type *type, struct slice cell,
                                 struct arena *arena)
{
    struct map_parts parts;
    if (!map_parts_open(&parts, type, cell, NULL) || !may_hold(&parts))
        return cell;
    uint32_t count = parts.count;
    struct slice *values = arena_alloc(arena, (count + (size_t)1) * sizeof *values), joined;
    if (!read_parts(&parts, values))
        return cell;
    for (uint32_t i = 0; i < count; i++)
        if (!slice_is_null(values[i]))
            values[i] = map_normal(map_parts_type(type, i), values[i], arena);
    if (type->id == CQL_SET)
        count = map_order_set(type, values, count);
    if (type->id == CQL_MAP && !map_order_map(type, values, count))
        return cell;
    if (!map_parts_join(type, values, count, arena, &joined, NULL) || slice_equal(joined, cell))
        return cell;
    return joined;
}

struct slice map_normal(const struct cql_type *type, struct slice cell, struct arena *arena)
{
    switch (type->id) {
    case CQL_BOOLEAN:
        return cell.len == 1 && cell.ptr[0] ? SLICE_LIT("\1") : cell;
    case CQL_FLOAT:
    case CQL_DOUBLE:
        return normal_real(cell);
    case CQL_VARINT:
        return map_varint_trim(cell);
    case CQL_DECIMAL:
        return normal_decimal(cell, arena);
    case CQL_DURATION:
        return normal_text(type, cell, arena);
    case CQL_LIST:
    case CQL_VECTOR:
    case CQL_SET:
    case CQL_MAP:
    case CQL_TUPLE:
    case CQL_UDT:
        return map_normal_needed(type) ? normal_parts(type, cell, arena) : cell;
    default:
        return cell;
    }
}

/* --- columns */

static bool is_empty_collection(const struct cql_type *type, struct slice cell)
{
    return (type->id == CQL_LIST || type->id == CQL_SET || type->id == CQL_MAP) && cell.len == 4 &&
           cql_decode_int(cell) == 0;
}

static bool has_only_nulls(const struct cql_type *type, struct slice cell)
{
    struct map_parts parts;
    struct slice value;
    if (type->id != CQL_UDT || type->frozen || !map_parts_open(&parts, type, cell, NULL))
        return false;
    for (uint32_t i = 0; i < parts.count; i++)
        if (!map_parts_next(&parts, &value, NULL) || !slice_is_null(value))
            return false;
    return true;
}

bool map_normal_is_null(const struct cql_type *type, struct slice cell)
{
    if (type->element_count == 0)
        return slice_is_null(cell);
    return slice_is_null(cell) || is_empty_collection(type, cell) || has_only_nulls(type, cell);
}
