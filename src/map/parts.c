#include "map/parts.h"

#include "cql/statement.h"
#include "map/vint.h"

static bool is_counted(const struct cql_type *type)
{
    return type->id == CQL_LIST || type->id == CQL_SET || type->id == CQL_MAP;
}

static bool has_nulls(const struct cql_type *type)
{
    return type->id == CQL_TUPLE || type->id == CQL_UDT;
}

uint32_t map_parts_size(const struct cql_type *type)
{
    uint64_t size;
    switch (type->id) {
    case CQL_BOOLEAN:
        return 1;
    case CQL_INT:
    case CQL_FLOAT:
        return 4;
    case CQL_BIGINT:
    case CQL_DOUBLE:
    case CQL_TIMESTAMP:
        return 8;
    case CQL_UUID:
    case CQL_TIMEUUID:
        return 16;
    case CQL_VECTOR: /* one too large for memory holds no value */
        size = (uint64_t)map_parts_size(type->elements[0]) * type->dimensions;
        return size > INT32_MAX ? INT32_MAX : (uint32_t)size;
    default:
        return 0;
    }
}

const struct cql_type *map_parts_type(const struct cql_type *type, uint32_t i)
{
    if (type->id == CQL_MAP)
        return type->elements[i % 2];
    return has_nulls(type) ? type->elements[i] : type->elements[0];
}

static bool broken(const struct map_parts *p, struct err *err)
{
    struct buf name = {0};
    cql_type_append(&name, p->type);
    err_set(err, ERR_VALUE, "broken value of type %s", buf_cstr(&name));
    buf_free(&name);
    return false;
}

static bool take_i32(struct map_parts *p, int32_t *v)
{
    if (p->rest.len < 4)
        return false;
    *v = (int32_t)cql_decode_int(slice_of(p->rest.ptr, 4));
    p->rest = slice_of(p->rest.ptr + 4, p->rest.len - 4);
    return true;
}

bool map_parts_open(struct map_parts *p, const struct cql_type *type, struct slice cell,
                    struct err *err)
{
    *p = (struct map_parts){.type = type, .count = type->element_count, .rest = cell};
    if (type->id == CQL_VECTOR) {
        p->count = type->dimensions;
        p->size = map_parts_size(type->elements[0]);
        return !p->size || cell.len == (uint64_t)p->size * p->count || broken(p, err);
    }
    if (!is_counted(type))
        return true;
    int32_t count;
    if (!take_i32(p, &count) || count < 0)
        return broken(p, err);
    p->count = (uint32_t)count * (type->id == CQL_MAP ? 2U : 1U); /* fits: it was below 2^31 */
    return true;
}

static bool take_length(struct map_parts *p, int64_t *len)
{
    uint64_t v;
    int32_t n;
    if (p->size) {
        *len = p->size;
    } else if (p->type->id == CQL_VECTOR) {
        if (!map_vint_read(&p->rest, &v) || v > p->rest.len)
            return false;
        *len = (int64_t)v;
    } else {
        if (!take_i32(p, &n))
            return false;
        *len = n;
    }
    return true;
}

bool map_parts_next(struct map_parts *p, struct slice *value, struct err *err)
{
    int64_t len;
    *value = SLICE_NULL;
    p->at++;
    if (has_nulls(p->type) && p->rest.len == 0)
        return true;
    if (!take_length(p, &len))
        return broken(p, err);
    if (len < 0)
        return has_nulls(p->type) ||
               err_set(err, ERR_VALUE, "a null inside, which JSON can't hold here");
    if ((uint64_t)len > p->rest.len)
        return broken(p, err);
    *value = slice_of(p->rest.ptr, (size_t)len);
    p->rest = slice_of(p->rest.ptr + len, p->rest.len - (size_t)len);
    return true;
}

bool map_parts_close(const struct map_parts *p, struct err *err)
{
    if (p->rest.len == 0)
        return true;
    if (p->type->id == CQL_UDT)
        return err_set(err, ERR_SCHEMA, "type %.*s has more fields than it had",
                       SLICE_ARG(p->type->name));
    return broken(p, err);
}

/* --- joining */

static size_t length_of(const struct map_parts *p, struct slice value, char out[MAP_VINT_MAX])
{
    if (p->size)
        return 0;
    if (p->type->id == CQL_VECTOR)
        return map_vint_write(out, value.len);
    cql_encode_i32(out, value.ptr ? (int32_t)value.len : -1);
    return 4;
}

bool map_parts_join(const struct cql_type *type, const struct slice *values, uint32_t count,
                    struct arena *arena, struct slice *cell, struct err *err)
{
    const struct map_parts p = {
        .type = type, .size = type->id == CQL_VECTOR ? map_parts_size(type->elements[0]) : 0};
    char length[MAP_VINT_MAX];
    uint64_t size = is_counted(type) ? 4 : 0;
    for (uint32_t i = 0; i < count; i++)
        size += length_of(&p, values[i], length) + values[i].len;
    if (size > INT32_MAX)
        return err_set(err, ERR_TOO_LARGE, "a value of more than 2 GiB");
    char *start = arena_alloc(arena, size + 1), *at = start;
    if (is_counted(type)) {
        cql_encode_i32(at, (int32_t)(type->id == CQL_MAP ? count / 2 : count));
        at += 4;
    }
    for (uint32_t i = 0; i < count; i++) {
        const size_t len = length_of(&p, values[i], length);
        memcpy(at, length, len);
        at += len;
        if (values[i].len)
            memcpy(at, values[i].ptr, values[i].len);
        at += values[i].len;
    }
    *cell = slice_of(start, size);
    return true;
}
