#include "cql/type.h"

#include "cql/type_name.h"
#include "cql/wire.h"

enum {
    OPTION_SIZE_MIN = 2,
    FIELD_SIZE_MIN = 4, /* an empty name and an option without value */
    ARENA_MAX = 64 * 1024 * 1024,
};

static const struct cql_type *decode(struct cql_reader *r, int depth, struct arena *arena,
                                     struct err *err);

static const struct cql_type *cut_off(struct err *err)
{
    err_set(err, ERR_PROTOCOL, "a type is cut off");
    return NULL;
}

/* count was checked against what is left to read. */
static bool decode_elements(struct cql_reader *r, struct cql_type *type, uint32_t count, int depth,
                            struct arena *arena, struct err *err)
{
    const struct cql_type **elements = arena_alloc(arena, count * sizeof *elements);
    struct slice *fields = NULL;
    if (type->id == CQL_UDT)
        fields = arena_alloc(arena, count * sizeof *fields);
    for (uint32_t i = 0; i < count; i++) {
        if (fields)
            fields[i] = arena_copy(arena, cql_read_string(r));
        elements[i] = decode(r, depth + 1, arena, err);
        if (!elements[i])
            return false;
    }
    type->elements = elements;
    type->element_count = count;
    type->field_names = fields;
    return true;
}

static const struct cql_type *decode_udt(struct cql_reader *r, struct cql_type *type, int depth,
                                         struct arena *arena, struct err *err)
{
    type->keyspace = arena_copy(arena, cql_read_string(r));
    type->name = arena_copy(arena, cql_read_string(r));
    const uint16_t count = cql_read_u16(r);
    if (r->bad || count > r->left / FIELD_SIZE_MIN)
        return cut_off(err);
    return decode_elements(r, type, count, depth, arena, err) ? type : NULL;
}

static const struct cql_type *decode_tuple(struct cql_reader *r, struct cql_type *type, int depth,
                                           struct arena *arena, struct err *err)
{
    const uint16_t count = cql_read_u16(r);
    if (r->bad || count > r->left / OPTION_SIZE_MIN)
        return cut_off(err);
    return decode_elements(r, type, count, depth, arena, err) ? type : NULL;
}

static const struct cql_type *decode(struct cql_reader *r, int depth, struct arena *arena,
                                     struct err *err)
{
    if (depth > CQL_TYPE_DEPTH_MAX) {
        err_set(err, ERR_PROTOCOL, "a type is nested too deeply");
        return NULL;
    }
    if (arena->total > ARENA_MAX) { /* two bytes become a hundred */
        err_set(err, ERR_PROTOCOL, "types take more than %d bytes", (int)ARENA_MAX);
        return NULL;
    }
    const uint16_t id = cql_read_u16(r);
    if (r->bad)
        return cut_off(err);
    if (id == CQL_CUSTOM) {
        const struct slice class = cql_read_string(r);
        return r->bad ? cut_off(err) : cql_type_parse_class(class, arena, err);
    }
    struct cql_type *type = arena_zalloc(arena, sizeof *type);
    type->id = (enum cql_type_id)id;
    switch (id) {
    case CQL_LIST:
    case CQL_SET:
        return decode_elements(r, type, 1, depth, arena, err) ? type : NULL;
    case CQL_MAP:
        return decode_elements(r, type, 2, depth, arena, err) ? type : NULL;
    case CQL_UDT:
        return decode_udt(r, type, depth, arena, err);
    case CQL_TUPLE:
        return decode_tuple(r, type, depth, arena, err);
    default:
        if (cql_type_name_of(type->id))
            return type;
        err_set(err, ERR_PROTOCOL, "unknown type 0x%04X", id);
        return NULL;
    }
}

const struct cql_type *cql_type_decode(struct slice *at, struct arena *arena, struct err *err)
{
    struct cql_reader r = cql_reader_of(*at);
    const struct cql_type *type = decode(&r, 1, arena, err);
    if (type)
        *at = cql_reader_rest(&r);
    return type;
}

static void append_quoted(struct buf *out, struct slice name, char quote)
{
    buf_append_char(out, quote);
    for (size_t i = 0; i < name.len; i++) {
        if (name.ptr[i] == quote)
            buf_append_char(out, quote);
        buf_append_char(out, name.ptr[i]);
    }
    buf_append_char(out, quote);
}

static void append_elements(struct buf *out, const char *word, const struct cql_type *type)
{
    buf_append_str(out, word);
    buf_append_char(out, '<');
    for (uint32_t i = 0; i < type->element_count; i++) {
        if (i > 0)
            buf_append_str(out, ", ");
        cql_type_append(out, type->elements[i]);
    }
    if (type->id == CQL_VECTOR)
        buf_printf(out, ", %u", type->dimensions);
    buf_append_char(out, '>');
}

static void append_plain(struct buf *out, const struct cql_type *type)
{
    switch (type->id) {
    case CQL_LIST:
        append_elements(out, "list", type);
        break;
    case CQL_SET:
        append_elements(out, "set", type);
        break;
    case CQL_MAP:
        append_elements(out, "map", type);
        break;
    case CQL_TUPLE:
        append_elements(out, "tuple", type);
        break;
    case CQL_VECTOR:
        append_elements(out, "vector", type);
        break;
    case CQL_UDT:
        if (cql_type_name_needs_quotes(type->name))
            append_quoted(out, type->name, '"');
        else
            buf_append_slice(out, type->name);
        break;
    case CQL_CUSTOM:
        append_quoted(out, type->name, '\'');
        break;
    default:
        buf_append_str(out, cql_type_name_of(type->id)->cql);
    }
}

void cql_type_append(struct buf *out, const struct cql_type *type)
{
    if (type->frozen)
        buf_append_str(out, "frozen<");
    append_plain(out, type);
    if (type->frozen)
        buf_append_char(out, '>');
}
