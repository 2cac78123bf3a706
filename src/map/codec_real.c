#include "map/codec_real.h"

#include "cql/statement.h"

#include <math.h>

static const struct {
    const char *text;
    double value;
} words[] = {{"NaN", NAN}, {"Infinity", INFINITY}, {"-Infinity", -INFINITY}};

static bool append_word(const struct cql_type *type, double v, bool quoted, struct buf *out,
                        struct err *err)
{
    const char *word = words[isnan(v) ? 0 : v > 0 ? 1 : 2].text;
    if (!type->non_finite_text)
        return err_set(err, ERR_VALUE, "%s has no form in JSON; see CassandraConfig.nonFinite",
                       word);
    buf_printf(out, quoted ? "\"%s\"" : "%s", word);
    return true;
}

static bool read_word(const struct cql_type *type, struct slice text, double *v)
{
    for (size_t i = 0; type->non_finite_text && i < ARRAY_LEN(words); i++) {
        if (slice_is(text, words[i].text)) {
            *v = words[i].value;
            return true;
        }
    }
    return false;
}

/* --- float */

static bool append_float(const struct cql_type *type, struct slice cell, bool quoted,
                         struct buf *out, struct err *err)
{
    uint32_t bits = (uint32_t)cql_decode_int(cell);
    float v;
    memcpy(&v, &bits, sizeof v);
    if (!isfinite(v))
        return append_word(type, v, quoted, out, err);
    json_append_float(out, v);
    return true;
}

static bool put_float(float v, struct arena *arena, struct slice *cell)
{
    uint32_t bits;
    memcpy(&bits, &v, sizeof bits);
    *cell = cql_encode_i32(arena_alloc(arena, 4), (int32_t)bits);
    return true;
}

bool map_float_to_json(const struct cql_type *type, struct slice cell, struct buf *out,
                       struct err *err)
{
    return append_float(type, cell, true, out, err);
}

bool map_float_to_text(const struct cql_type *type, struct slice cell, struct buf *out,
                       struct err *err)
{
    return append_float(type, cell, false, out, err);
}

bool map_float_from_text(const struct cql_type *type, struct slice text, struct arena *arena,
                         struct slice *cell, struct err *err)
{
    double word;
    float v;
    if (read_word(type, text, &word))
        return put_float((float)word, arena, cell);
    if (!json_read_float(text, &v))
        return map_refuse(err, text, "does not fit into", "float");
    return put_float(v, arena, cell);
}

bool map_float_from_json(const struct cql_type *type, const struct json_node *node,
                         struct arena *arena, struct slice *cell, struct err *err)
{
    float v;
    double word;
    if (node->type == JSON_NUMBER)
        return json_read_float(node->text, &v)
                   ? put_float(v, arena, cell)
                   : map_refuse(err, node->text, "does not fit into", "float");
    if (node->type != JSON_STRING || !read_word(type, node->text, &word))
        return map_refuse_node(err, node, "float");
    return put_float((float)word, arena, cell);
}

/* --- double */

static bool append_double(const struct cql_type *type, struct slice cell, bool quoted,
                          struct buf *out, struct err *err)
{
    int64_t bits = cql_decode_int(cell);
    double v;
    memcpy(&v, &bits, sizeof v);
    if (!isfinite(v))
        return append_word(type, v, quoted, out, err);
    json_append_double(out, v);
    return true;
}

static bool put_double(double v, struct arena *arena, struct slice *cell)
{
    int64_t bits;
    memcpy(&bits, &v, sizeof bits);
    *cell = cql_encode_i64(arena_alloc(arena, 8), bits);
    return true;
}

bool map_double_to_json(const struct cql_type *type, struct slice cell, struct buf *out,
                        struct err *err)
{
    return append_double(type, cell, true, out, err);
}

bool map_double_to_text(const struct cql_type *type, struct slice cell, struct buf *out,
                        struct err *err)
{
    return append_double(type, cell, false, out, err);
}

bool map_double_from_text(const struct cql_type *type, struct slice text, struct arena *arena,
                          struct slice *cell, struct err *err)
{
    double v;
    if (!read_word(type, text, &v) && !json_read_double(text, &v))
        return map_refuse(err, text, "does not fit into", "double");
    return put_double(v, arena, cell);
}

bool map_double_from_json(const struct cql_type *type, const struct json_node *node,
                          struct arena *arena, struct slice *cell, struct err *err)
{
    double v;
    double word;
    if (node->type == JSON_NUMBER)
        return json_read_double(node->text, &v)
                   ? put_double(v, arena, cell)
                   : map_refuse(err, node->text, "does not fit into", "double");
    if (node->type != JSON_STRING || !read_word(type, node->text, &word))
        return map_refuse_node(err, node, "double");
    return put_double(word, arena, cell);
}
