#include "map/schema.h"

#include "map/codec.h"
#include "map/fields.h"
#include "map/normal.h"
#include "map/user_type.h"

#include <stdio.h>
#include <stdlib.h>

static bool listed(const struct slice *names, uint32_t count, struct slice name)
{
    for (uint32_t i = 0; i < count; i++)
        if (slice_equal(names[i], name))
            return true;
    return false;
}

static bool passes(const struct slice *include, uint32_t include_count, const struct slice *exclude,
                   uint32_t exclude_count, struct slice name)
{
    if (include_count)
        return listed(include, include_count, name);
    return !listed(exclude, exclude_count, name);
}

static struct slice field_of(const struct map_options *o, struct slice column)
{
    for (uint32_t i = 0; i < o->rename_count; i++)
        if (slice_equal(o->rename_column[i], column))
            return o->rename_field[i];
    return column;
}

static bool is_reserved(const struct map_options *o, struct slice field)
{
    return (o->timestamp_field.ptr && slice_equal(field, o->timestamp_field)) ||
           (o->deleted_field.ptr && slice_equal(field, o->deleted_field)) ||
           (o->ttl_field.ptr && slice_equal(field, o->ttl_field));
}

/* What no document takes: the names of the server's own fields, parts between dots without a
 * character. */
static bool can_be_field(struct slice name)
{
    static const char *const own[] = {"_id",      "_index",       "_source", "_routing",
                                      "_version", "_field_names", "_seq_no", "_ignored"};
    bool blank = true;
    for (size_t i = 0; i < ARRAY_LEN(own); i++)
        if (slice_is(name, own[i]))
            return false;
    for (size_t i = 0; i < name.len; i++) {
        if (name.ptr[i] == '.' && blank)
            return false;
        blank = name.ptr[i] == '.' || (blank && (unsigned char)name.ptr[i] <= ' ');
    }
    return !blank;
}

static void name_column(const struct map_table_column *from, const struct map_options *o,
                        struct map_column *to)
{
    struct slice field = field_of(o, from->name);
    *to = (struct map_column){
        .name = from->name,
        .field = field,
        .to_cassandra = passes(o->elasticsearch_include, o->elasticsearch_include_count,
                               o->elasticsearch_exclude, o->elasticsearch_exclude_count, field),
        .to_elasticsearch = passes(o->cassandra_include, o->cassandra_include_count,
                                   o->cassandra_exclude, o->cassandra_exclude_count, from->name),
    };
}

static bool refuse(struct err *err, struct slice column, const char *why)
{
    return err_set(err, ERR_SCHEMA, "column \"%.*s\": %s", SLICE_ARG(column), why);
}

/* Type, codec and names of our own. */
static bool complete(struct map_column *column, const struct map_table_column *from,
                     const struct map_options *o, struct arena *arena, struct err *err)
{
    const struct cql_type *type = cql_type_parse(from->type, arena, err);
    if (type)
        type = map_user_type_resolve(type, from->user_types, o->non_finite_text, arena, err);
    if (!type) {
        err_context(err, "column \"%.*s\"", SLICE_ARG(column->name));
        return false;
    }
    column->type = type;
    column->codec = map_codec_of_column(type);
    column->normal = type->id == CQL_LIST || map_normal_needed(type);
    column->name = arena_copy(arena, column->name);
    column->field = arena_copy(arena, column->field);
    return true;
}

static int by_key_order(const void *a, const void *b)
{
    const struct map_table_column *x = *(const struct map_table_column *const *)a;
    const struct map_table_column *y = *(const struct map_table_column *const *)b;
    if (x->kind != y->kind)
        return x->kind == MAP_PARTITION_KEY ? -1 : 1;
    return (x->position > y->position) - (x->position < y->position);
}

static int by_name(const void *a, const void *b)
{
    struct slice x = ((const struct map_column *)a)->name;
    struct slice y = ((const struct map_column *)b)->name;
    int order = memcmp(x.ptr, y.ptr, x.len < y.len ? x.len : y.len);
    return order ? order : (x.len > y.len) - (x.len < y.len);
}

static bool is_key(const struct map_table_column *column)
{
    return column->kind == MAP_PARTITION_KEY || column->kind == MAP_CLUSTERING;
}

static bool check_key_names(const struct map_schema *schema, const struct map_options *o,
                            struct err *err)
{
    if (o->key_name_count == 0)
        return true;
    bool same = o->key_name_count == schema->key_count;
    for (uint32_t i = 0; same && i < schema->key_count; i++)
        same = slice_equal(o->key_names[i], schema->keys[i].name);
    if (same)
        return true;
    err_set(err, ERR_SCHEMA, "dataIdFieldName must name the primary key in its order:");
    for (uint32_t i = 0; err && i < schema->key_count; i++) {
        size_t len = strlen(err->text);
        snprintf(err->text + len, sizeof err->text - len, "%s%.*s", i ? ", " : " ",
                 SLICE_ARG(schema->keys[i].name));
    }
    return false;
}

/* Of clustering decimals 1.0 and 1.00 are one: two documents would share a row. */
static bool can_be_key(const struct map_column *key, const struct map_table_column *from)
{
    const bool one_row = from->kind == MAP_CLUSTERING && key->type->id == CQL_DECIMAL;
    return key->codec->to_text && !one_row;
}

static bool build_keys(struct map_schema *schema, const struct map_table_column *columns,
                       uint32_t count, const struct map_options *o, struct arena *arena,
                       struct err *err)
{
    const struct map_table_column **sorted = arena_alloc(arena, (count + 1) * sizeof(void *));
    uint32_t found = 0;
    for (uint32_t i = 0; i < count; i++)
        if (is_key(&columns[i]))
            sorted[found++] = &columns[i];
    if (found == 0)
        return err_set(err, ERR_SCHEMA, "the table has no primary key");
    qsort(sorted, found, sizeof *sorted, by_key_order);
    struct map_column *keys = arena_zalloc(arena, found * sizeof *keys);
    for (uint32_t i = 0; i < found; i++) {
        name_column(sorted[i], o, &keys[i]);
        keys[i].to_cassandra = keys[i].to_elasticsearch = true;
        schema->partition_count += sorted[i]->kind == MAP_PARTITION_KEY;
        if (!complete(&keys[i], sorted[i], o, arena, err))
            return false;
        if (!can_be_key(&keys[i], sorted[i]))
            return err_set(err, ERR_SCHEMA, "column \"%.*s\": type %.*s can't be part of a key",
                           SLICE_ARG(keys[i].name), SLICE_ARG(sorted[i]->type));
    }
    schema->keys = keys;
    schema->key_count = found;
    return check_key_names(schema, o, err);
}

static bool build_columns(struct map_schema *schema, const struct map_table_column *columns,
                          uint32_t count, const struct map_options *o, struct arena *arena,
                          struct err *err)
{
    struct map_column *mapped = arena_zalloc(arena, (count + 1) * sizeof *mapped);
    uint32_t found = 0;
    for (uint32_t i = 0; i < count; i++) {
        struct map_column *column = &mapped[found];
        schema->counters = schema->counters || slice_is(columns[i].type, "counter");
        name_column(&columns[i], o, column);
        if (is_key(&columns[i]) || is_reserved(o, column->field) ||
            (o->version_column.ptr && slice_equal(columns[i].name, o->version_column)))
            continue;
        if (!column->to_cassandra && !column->to_elasticsearch)
            continue;
        if (columns[i].kind == MAP_STATIC)
            return refuse(err, columns[i].name,
                          "static columns belong to no row; exclude it in ElasticSearchConfig and "
                          "CassandraConfig");
        if (column->to_elasticsearch && !can_be_field(column->field))
            return refuse(err, columns[i].name,
                          "no document can have a field of that name; give it another with rename, "
                          "or exclude it in CassandraConfig");
        if (!complete(column, &columns[i], o, arena, err))
            return false;
        found++;
    }
    qsort(mapped, found, sizeof *mapped, by_name);
    schema->columns = mapped;
    schema->column_count = found;
    schema->fields = map_fields_build(mapped, found, o, arena, err);
    return schema->fields != NULL;
}

static bool check_renames(const struct map_table_column *columns, uint32_t count,
                          const struct map_options *o, struct err *err)
{
    for (uint32_t i = 0; i < o->rename_count; i++) {
        bool there = false;
        for (uint32_t j = 0; j < count; j++)
            there = there || slice_equal(columns[j].name, o->rename_column[i]);
        if (!there)
            return refuse(err, o->rename_column[i],
                          "rename names it, but the table has no such column; mend the name, or "
                          "remove the line");
    }
    return true;
}

const struct map_schema *map_schema_build(const struct map_table_column *columns, uint32_t count,
                                          const struct map_options *options, struct arena *arena,
                                          struct err *err)
{
    struct map_schema *schema = arena_zalloc(arena, sizeof *schema);
    schema->every_field = options->every_field;
    schema->ttl_field = arena_copy(arena, options->ttl_field);
    if (!check_renames(columns, count, options, err) ||
        !build_keys(schema, columns, count, options, arena, err) ||
        !build_columns(schema, columns, count, options, arena, err))
        return NULL;
    return schema;
}
