#include "sink/query_values.h"

#include "map/fields.h"

#include <stdio.h>

static bool is_key_name(const struct map_schema *schema, struct slice name, uint32_t *key)
{
    for (*key = 0; *key < schema->key_count; (*key)++) {
        if (slice_equal(schema->keys[*key].name, name) ||
            slice_equal(schema->keys[*key].field, name))
            return true;
    }
    *key = 0;
    return false;
}

/* "did" and "ts" are the seed's own names, whatever the columns are called. */
static enum query_value_from find_value(const struct map_schema *schema, struct slice name,
                                        uint32_t *key)
{
    if (is_key_name(schema, name, key))
        return QUERY_FROM_KEY;
    if (map_fields_find(schema->fields, name) >= 0)
        return QUERY_FROM_FIELD;
    if (slice_is(name, "did") && schema->key_count == 1)
        return QUERY_FROM_KEY;
    return slice_is(name, "ts") ? QUERY_FROM_VERSION : QUERY_FROM_FIELD;
}

static bool refuse_type(const struct query_bind *bind, const char *why, struct err *err)
{
    struct buf type = {0};
    cql_type_append(&type, bind->type);
    err_set(err, ERR_SCHEMA, "%%(%.*s)s: %s type %s", SLICE_ARG(bind->field), why, buf_cstr(&type));
    buf_free(&type);
    return false;
}

static bool check_type(const struct map_schema *schema, int64_t unit_us,
                       const struct query_bind *bind, struct err *err)
{
    if (!bind->codec || bind->type->id == CQL_COUNTER)
        return refuse_type(bind, "nothing can be bound to", err);
    if (bind->from == QUERY_FROM_KEY && !bind->codec->from_text &&
        bind->type->id != schema->keys[bind->key].type->id)
        return refuse_type(bind, "a key can't be bound to", err);
    if (bind->from == QUERY_FROM_VERSION && bind->type->id == CQL_TIMESTAMP && unit_us == 1)
        return err_set(err, ERR_SCHEMA,
                       "%%(%.*s)s: a timestamp column holds milliseconds, but sync.versionUnit is "
                       "us",
                       SLICE_ARG(bind->field));
    return true;
}

bool query_bind_plan(const struct map_schema *schema, int64_t unit_us, struct slice field,
                     const struct cql_column *column, struct query_bind *bind, struct err *err)
{
    *bind = (struct query_bind){.from = QUERY_FROM_TIME, .field = field, .type = column->type};
    if (slice_is_null(field))
        return true;
    bind->from = find_value(schema, field, &bind->key);
    bind->codec = map_codec_of_column(column->type);
    bind->in_using = slice_is(column->name, "[ttl]") || slice_is(column->name, "[timestamp]");
    return check_type(schema, unit_us, bind, err);
}

/* Of members that stand there twice the last counts. */
static const struct json_node *find_member(const struct json_node *object, struct slice name)
{
    const struct json_node *found = NULL;
    if (object->type != JSON_OBJECT)
        return NULL;
    for (const struct json_node *n = json_first(object); n; n = json_next(object, n)) {
        if (slice_equal(n->key, name))
            found = n;
    }
    return found;
}

/* A name with dots is that of a field, or the way to one. */
static const struct json_node *find_field(const struct json_node *object, struct slice name)
{
    const struct json_node *found = find_member(object, name);
    const char *dot = found ? NULL : memchr(name.ptr, '.', name.len);
    if (!dot)
        return found;
    const size_t len = (size_t)(dot - name.ptr);
    found = find_member(object, slice_of(name.ptr, len));
    return found ? find_field(found, slice_of(dot + 1, name.len - len - 1)) : NULL;
}

static bool key_value(const struct query_bind *bind, const struct query_values *v,
                      struct arena *arena, struct slice *cell, struct err *err)
{
    const struct map_column *key = &v->schema->keys[bind->key];
    const struct slice own = v->write->key->cells[bind->key];
    if (key->type->id == bind->type->id) {
        *cell = own;
        return true;
    }
    struct buf text = {0};
    const bool fine = map_codec_to_text(key->codec, key->type, own, &text, err) &&
                      bind->codec->from_text(bind->type, buf_slice(&text), arena, cell, err);
    buf_free(&text);
    return fine;
}

static bool version_value(const struct query_bind *bind, const struct query_values *v,
                          struct arena *arena, struct slice *cell, struct err *err)
{
    const long long version = v->write->version;
    int64_t ms = version;
    if (bind->type->id == CQL_TIMESTAMP) {
        if (v->unit_us > 1000 && __builtin_mul_overflow(ms, v->unit_us / 1000, &ms))
            return err_set(err, ERR_VALUE, "version %lld is no timestamp", version);
        *cell = cql_encode_i64(arena_alloc(arena, 8), ms);
        return true;
    }
    char digits[24];
    snprintf(digits, sizeof digits, "%lld", version);
    const struct slice text = slice_str(digits);
    if (bind->type->id == CQL_VARCHAR || bind->type->id == CQL_ASCII)
        return bind->codec->from_text(bind->type, text, arena, cell, err);
    const struct json_node node = {.type = JSON_NUMBER, .span = 1, .text = text, .raw = text};
    return map_codec_from_json(bind->codec, bind->type, &node, arena, cell, err);
}

static bool field_value(const struct query_bind *bind, const struct query_values *v,
                        struct arena *arena, struct slice *cell, struct err *err)
{
    const struct json_node *node = v->source ? find_field(v->source, bind->field) : NULL;
    *cell = SLICE_NULL;
    return !node || map_codec_from_json(bind->codec, bind->type, node, arena, cell, err);
}

static bool find_cell(const struct query_bind *bind, const struct query_values *v,
                      struct arena *arena, struct slice *cell, struct err *err)
{
    switch (bind->from) {
    case QUERY_FROM_KEY:
        return key_value(bind, v, arena, cell, err);
    case QUERY_FROM_VERSION:
        return version_value(bind, v, arena, cell, err);
    case QUERY_FROM_TIME:
        *cell = cql_encode_i64(arena_alloc(arena, 8), v->write->write_time - 1);
        return true;
    default:
        return field_value(bind, v, arena, cell, err);
    }
}

bool query_bind_value(const struct query_bind *bind, const struct query_values *values,
                      struct arena *arena, struct cql_value *out, struct err *err)
{
    struct slice cell = SLICE_NULL;
    if (!find_cell(bind, values, arena, &cell, err))
        return err_context(err, "field \"%.*s\"", SLICE_ARG(bind->field));
    *out = cql_value_of(cell);
    if (slice_is_null(cell) && bind->in_using)
        out->kind = CQL_VALUE_UNSET;
    return true;
}
