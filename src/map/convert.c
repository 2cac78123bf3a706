#include "map/convert.h"

#include "map/codec.h"
#include "map/codec_any.h"
#include "map/fields.h"
#include "map/members.h"
#include "map/normal.h"

#define XXH_STATIC_LINKING_ONLY /* the state on the stack */
#include <xxhash.h>

/* --- document to cells */

static bool convert_field(const struct map_column *column, const struct json_node *node,
                          struct slice *cell, struct arena *arena, struct err *err)
{
    return map_codec_from_json(column->codec, column->type, node, arena, cell, err) ||
           err_context(err, "field \"%.*s\"", SLICE_ARG(column->field));
}

/* Elasticsearch reads {"a.b":1} as {"a":{"b":1}}. What of it stands in a column would be lost on
 * the way to Cassandra, so such documents are refused. */
static bool check_dots(const struct map_schema *schema, struct slice field, struct err *err)
{
    const char *dot = memchr(field.ptr, '.', field.len);
    if (!dot)
        return true;
    const struct slice front = slice_of(field.ptr, (size_t)(dot - field.ptr));
    const int32_t found = map_fields_find(schema->fields, front);
    if (found < 0)
        return true;
    const struct map_column *column = &schema->columns[found];
    if (!column->to_cassandra || !map_codec_is_object(column->type))
        return true;
    const char *behind;
    const struct slice shown = map_excerpt(field, &behind);
    return err_set(err, ERR_VALUE,
                   "field \"%.*s%s\": a name with a dot for a part of \"%.*s\"; write an object",
                   SLICE_ARG(shown), behind, SLICE_ARG(column->field));
}

bool map_document_cells(const struct map_schema *schema, const struct json_node *source,
                        struct slice *cells, bool *extra, struct arena *arena, struct err *err)
{
    if (!source || source->type != JSON_OBJECT)
        return err_set(err, ERR_VALUE, "the document has no _source");
    const struct json_node **last = arena_zalloc(arena, (schema->column_count + 1) * sizeof *last);
    bool others = false;
    for (const struct json_node *n = json_first(source); n; n = json_next(source, n)) {
        int32_t found = map_fields_find(schema->fields, n->key);
        if (found >= 0)
            last[found] = n;
        else if (found == MAP_FIELD_UNKNOWN && !check_dots(schema, n->key, err))
            return false;
        others = others || found == MAP_FIELD_UNKNOWN ||
                 (found >= 0 && !schema->columns[found].to_elasticsearch);
    }
    if (extra)
        *extra = others;
    for (uint32_t i = 0; i < schema->column_count; i++) {
        const struct map_column *column = &schema->columns[i];
        cells[i] = SLICE_NULL;
        if (last[i] && column->to_cassandra &&
            !convert_field(column, last[i], &cells[i], arena, err))
            return false;
    }
    return true;
}

/* --- row to document */

/* The comma between members and the name. */
static void append_name(struct buf *out, size_t start, struct slice name)
{
    if (out->len > start + 1)
        buf_append_char(out, ',');
    json_append_parsed(out, name);
    buf_append_char(out, ':');
}

static bool append_cell(const struct map_column *column, struct slice cell, struct buf *out,
                        size_t start, struct err *err)
{
    append_name(out, start, column->field);
    return map_codec_to_json(column->codec, column->type, cell, out, err) ||
           err_context(err, "column \"%.*s\"", SLICE_ARG(column->name));
}

/* Stored documents may be pretty-printed; a line of _bulk may not. Inside of strings newlines are
 * escaped, so what is left is white space. */
static void append_one_line(struct buf *out, struct slice raw)
{
    if (!memchr(raw.ptr, '\n', raw.len) && !memchr(raw.ptr, '\r', raw.len)) {
        buf_append_slice(out, raw);
        return;
    }
    for (size_t i = 0; i < raw.len; i++)
        if (raw.ptr[i] != '\n' && raw.ptr[i] != '\r')
            buf_append_char(out, raw.ptr[i]);
}

static bool is_kept(const struct map_schema *schema, const struct json_node *n,
                    struct slice timestamp_field)
{
    int32_t found = map_fields_find(schema->fields, n->key);
    if (found == MAP_FIELD_DELETED || found == MAP_FIELD_TTL ||
        slice_equal(n->key, timestamp_field))
        return false;
    return found < 0 || !schema->columns[found].to_elasticsearch;
}

static void append_kept(const struct map_schema *schema, const struct json_node *present,
                        struct slice timestamp_field, struct buf *out, size_t start)
{
    if (!present || present->type != JSON_OBJECT)
        return;
    struct map_members members;
    map_members_open(&members, present);
    for (const struct json_node *n = json_first(present); n; n = json_next(present, n)) {
        if (!is_kept(schema, n, timestamp_field) || !map_members_is_last(&members, n))
            continue;
        append_name(out, start, n->key);
        append_one_line(out, n->raw);
    }
    map_members_close(&members);
}

bool map_document_render(const struct map_schema *schema, const struct slice *cells,
                         struct slice timestamp_field, int64_t version,
                         const struct json_node *present, struct buf *out, struct err *err)
{
    size_t start = out->len;
    buf_append_char(out, '{');
    for (uint32_t i = 0; i < schema->column_count; i++) {
        const struct map_column *column = &schema->columns[i];
        if (slice_is_null(cells[i]) || !column->to_elasticsearch)
            continue;
        if (!append_cell(column, cells[i], out, start, err)) {
            out->len = start;
            return false;
        }
    }
    if (!slice_is_null(timestamp_field)) {
        append_name(out, start, timestamp_field);
        buf_append_i64_text(out, version);
    }
    append_kept(schema, present, timestamp_field, out, start);
    buf_append_char(out, '}');
    return true;
}

void map_cell_show(const struct map_column *column, struct slice cell, struct buf *out)
{
    struct err err = {0};
    const size_t start = out->len;
    if (slice_is_null(cell)) {
        buf_append_str(out, "null");
    } else if (!map_codec_to_json(column->codec, column->type, cell, out, &err)) {
        out->len = start;
        json_append_parsed(out, slice_str(err.text));
    }
}

void map_row_show(const struct map_schema *schema, const struct slice *cells, struct buf *out)
{
    const size_t start = out->len;
    buf_append_char(out, '{');
    for (uint32_t i = 0; i < schema->column_count; i++) {
        if (slice_is_null(cells[i]))
            continue;
        append_name(out, start, schema->columns[i].field);
        map_cell_show(&schema->columns[i], cells[i], out);
    }
    buf_append_char(out, '}');
}

void map_document_add_number(struct buf *document, struct slice field, int64_t value)
{
    document->len--;
    if (document->ptr[document->len - 1] != '{')
        buf_append_char(document, ',');
    json_append_parsed(document, field);
    buf_append_char(document, ':');
    buf_append_i64_text(document, value);
    buf_append_char(document, '}');
}

bool map_document_ttl(const struct map_schema *schema, const struct json_node *source, int32_t *ttl,
                      struct err *err)
{
    const struct json_node *field = NULL;
    int64_t value = 0;
    *ttl = 0;
    if (slice_is_null(schema->ttl_field))
        return true;
    for (const struct json_node *n = json_first(source); n; n = json_next(source, n)) {
        if (slice_equal(n->key, schema->ttl_field))
            field = n;
    }
    if (!field || field->type == JSON_NULL)
        return true;
    if (!json_int64(field, &value) || value < 0 || value > MAP_TTL_MAX)
        return err_set(err, ERR_VALUE, "field \"%.*s\": no time to live of 0 to %d seconds",
                       SLICE_ARG(schema->ttl_field), MAP_TTL_MAX);
    *ttl = (int32_t)value;
    return true;
}

/* --- contents */

static struct slice normal_cell(const struct cql_type *type, struct slice cell, struct arena *arena)
{
    if (type->element_count == 0)
        return map_normal(type, cell, arena);
    if (map_normal_is_null(type, cell))
        return SLICE_NULL;
    return map_any_is(type) ? map_any_normal(type, cell, arena) : map_normal(type, cell, arena);
}

void map_row_normalise(const struct map_schema *schema, struct slice *cells, struct arena *arena)
{
    for (uint32_t i = 0; i < schema->column_count; i++)
        if (schema->columns[i].normal && !slice_is_null(cells[i]))
            cells[i] = normal_cell(schema->columns[i].type, cells[i], arena);
}

bool map_content_equal(const struct map_schema *schema, const struct change_content *a,
                       const struct change_content *b)
{
    if (a->missing || b->missing)
        return a->missing && b->missing;
    for (uint32_t i = 0; i < schema->column_count; i++) {
        const struct map_column *column = &schema->columns[i];
        if (column->to_cassandra && column->to_elasticsearch &&
            !slice_equal(a->cells[i], b->cells[i]))
            return false;
    }
    return true;
}

/* Most contents fit into bytes, where one call costs half of what many small ones do. */
struct hashing {
    size_t used;
    bool many;
    char bytes[1024];
    XXH3_state_t state;
};

static void hash_bytes(struct hashing *h, const void *bytes, size_t len)
{
    if (len > sizeof h->bytes - h->used) {
        if (!h->many)
            XXH3_128bits_reset(&h->state);
        h->many = true;
        XXH3_128bits_update(&h->state, h->bytes, h->used);
        h->used = 0;
    }
    if (len > sizeof h->bytes) {
        XXH3_128bits_update(&h->state, bytes, len);
    } else if (len > 0) {
        memcpy(h->bytes + h->used, bytes, len);
        h->used += len;
    }
}

static void hash_part(struct hashing *h, struct slice part)
{
    unsigned char len[8];
    for (int i = 0; i < 8; i++)
        len[i] = (unsigned char)((uint64_t)part.len >> 8 * i);
    hash_bytes(h, len, sizeof len);
    hash_bytes(h, part.ptr, part.len);
}

static struct change_hash hash_end(struct hashing *h)
{
    if (h->many)
        XXH3_128bits_update(&h->state, h->bytes, h->used);
    const XXH128_hash_t hash =
        h->many ? XXH3_128bits_digest(&h->state) : XXH3_128bits(h->bytes, h->used);
    return (struct change_hash){hash.high64, hash.low64};
}

struct change_hash map_content_hash(const struct map_schema *schema,
                                    const struct change_content *content, bool to_cassandra)
{
    struct hashing h;
    h.used = 0;
    h.many = false;
    hash_part(&h, content->missing ? SLICE_LIT("missing") : SLICE_LIT("present"));
    for (uint32_t i = 0; !content->missing && i < schema->column_count; i++) {
        const struct map_column *column = &schema->columns[i];
        /* What does not travel to Cassandra is not read from documents either. */
        if (slice_is_null(content->cells[i]) || !column->to_cassandra ||
            !(to_cassandra || column->to_elasticsearch))
            continue;
        hash_part(&h, column->name);
        hash_part(&h, content->cells[i]);
    }
    return hash_end(&h);
}
