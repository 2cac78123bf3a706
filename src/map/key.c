#include "map/convert.h"

#include "map/codec.h"

enum { ID_MAX = 512 }; /* Elasticsearch's bound on _id */

static void escape(struct buf *out, struct slice part)
{
    for (size_t i = 0; i < part.len; i++) {
        if (part.ptr[i] == '|' || part.ptr[i] == '\\')
            buf_append_char(out, '\\');
        buf_append_char(out, part.ptr[i]);
    }
}

/* The text of the part from start on becomes its escaped form. */
static void escape_tail(struct buf *out, size_t start)
{
    struct slice part = slice_of(out->ptr + start, out->len - start);
    if (!memchr(part.ptr, '|', part.len) && !memchr(part.ptr, '\\', part.len))
        return;
    struct buf copy = {0};
    buf_append_slice(&copy, part);
    out->len = start;
    escape(out, buf_slice(&copy));
    buf_free(&copy);
}

/* A cell of another form of the same value would be another row with the same _id. */
static bool check_form(const struct map_column *key, struct slice cell, struct slice text,
                       struct err *err)
{
    struct arena arena = {0};
    struct slice again;
    if (!key->normal)
        return true;
    bool ok = key->codec->from_text(key->type, text, &arena, &again, err);
    if (ok && !slice_equal(cell, again))
        ok = err_set(err, ERR_VALUE, "not the shortest encoding of a %s", key->codec->name);
    arena_free(&arena);
    return ok;
}

static bool append_parts(const struct map_schema *schema, const struct slice *cells,
                         struct buf *out, struct err *err)
{
    for (uint32_t i = 0; i < schema->key_count; i++) {
        const struct map_column *key = &schema->keys[i];
        if (i)
            buf_append_char(out, '|');
        size_t start = out->len;
        buf_reserve(out, 1); /* even an empty part has an address */
        if (!map_codec_to_text(key->codec, key->type, cells[i], out, err) ||
            !check_form(key, cells[i], slice_of(out->ptr + start, out->len - start), err))
            return err_context(err, "key column \"%.*s\"", SLICE_ARG(key->name));
        if (schema->key_count > 1)
            escape_tail(out, start);
    }
    return true;
}

bool map_key_text(const struct map_schema *schema, const struct slice *cells, struct buf *out,
                  struct err *err)
{
    size_t start = out->len;
    bool ok = append_parts(schema, cells, out, err);
    size_t len = out->len - start;
    if (ok && len == 0)
        ok = err_set(err, ERR_VALUE, "the key is empty, Elasticsearch has no such _id");
    if (ok && len > ID_MAX)
        ok = err_set(err, ERR_VALUE, "the key has %zu bytes as text, an _id at most %d", len,
                     ID_MAX);
    if (ok && schema->partition_count == 1 && cells[0].len == 0)
        ok = err_set(err, ERR_VALUE, "the partition key is empty, Cassandra has no such row");
    if (!ok)
        out->len = start;
    return ok;
}

/* Takes one part off the front of id, unescaped; *more when a '|' stood behind it. */
static bool take_part(struct slice *id, struct arena *arena, struct slice *part, bool *more)
{
    char *text = arena_alloc(arena, id->len + 1);
    size_t len = 0, at = 0;
    while (at < id->len && id->ptr[at] != '|') {
        if (id->ptr[at] == '\\' && ++at == id->len)
            return false;
        text[len++] = id->ptr[at++];
    }
    *more = at < id->len;
    at += *more;
    *part = slice_of(text, len);
    *id = slice_of(id->ptr + at, id->len - at);
    return true;
}

static bool parse_parts(const struct map_schema *schema, struct slice id, struct slice *cells,
                        struct arena *arena, struct err *err)
{
    for (uint32_t i = 0; i < schema->key_count; i++) {
        const struct map_column *key = &schema->keys[i];
        struct slice part = id;
        bool more = false;
        if (schema->key_count > 1 && !take_part(&id, arena, &part, &more))
            return err_set(err, ERR_VALUE, "a '\\' without a character behind it");
        if (more != (i + 1 < schema->key_count))
            return err_set(err, ERR_VALUE, "the primary key has %u parts", schema->key_count);
        if (!key->codec->from_text(key->type, part, arena, &cells[i], err))
            return err_context(err, "key column \"%.*s\"", SLICE_ARG(key->name));
    }
    return true;
}

bool map_key_parse(const struct map_schema *schema, struct slice id, struct slice *cells,
                   struct arena *arena, struct err *err)
{
    struct buf again = {0};
    const char *behind;
    struct slice shown;
    bool ok =
        parse_parts(schema, id, cells, arena, err) && map_key_text(schema, cells, &again, err);
    if (ok && !slice_equal(buf_slice(&again), id)) {
        shown = map_excerpt(buf_slice(&again), &behind);
        ok = err_set(err, ERR_VALUE, "not the canonical form, which is \"%.*s%s\"",
                     SLICE_ARG(shown), behind);
    }
    buf_free(&again);
    shown = map_excerpt(id, &behind);
    return ok || err_context(err, "_id \"%.*s%s\"", SLICE_ARG(shown), behind);
}
