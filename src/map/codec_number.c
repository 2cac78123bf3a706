#include "map/codec_number.h"

#include "cql/statement.h"

static bool is_digit(char c)
{
    return c >= '0' && c <= '9';
}

/* A decimal number taken apart: the digits between first and last significant one stand for
 * digits * 10^exponent. */
struct decimal {
    const char *from, *to; /* may have a point inside */
    int64_t exponent;
    bool negative;
};

static bool read_exponent(const char *p, const char *end, int64_t *out)
{
    enum { LIMIT = 1000000000 };
    bool negative = p < end && *p == '-';
    if (p < end && (*p == '-' || *p == '+'))
        p++;
    if (p == end)
        return false;
    int64_t v = 0;
    for (; p < end; p++) {
        if (!is_digit(*p))
            return false;
        v = v > LIMIT ? v : v * 10 + (*p - '0');
    }
    /* Past any range, whatever the digits before it add: they are fewer than 2^32. */
    *out = (v > LIMIT ? INT64_MAX / 4 : v) * (negative ? -1 : 1);
    return true;
}

static bool take_apart(struct slice text, struct decimal *d)
{
    const char *p = text.ptr, *end = text.ptr + text.len;
    *d = (struct decimal){0};
    if (p < end && *p == '-') {
        d->negative = true;
        p++;
    }
    const char *point = NULL;
    d->from = p;
    while (p < end && (is_digit(*p) || (*p == '.' && !point))) {
        if (*p == '.')
            point = p;
        p++;
    }
    d->to = p;
    if (p == d->from || *d->from == '.' || p[-1] == '.')
        return false;
    if (p < end && (*p != 'e' && *p != 'E'))
        return false;
    if (p < end && !read_exponent(p + 1, end, &d->exponent))
        return false;
    if (point)
        d->exponent -= d->to - point - 1;
    while (d->to > d->from && (d->to[-1] == '0' || d->to[-1] == '.')) {
        d->exponent += d->to[-1] == '0';
        d->to--;
    }
    while (d->from < d->to && (*d->from == '0' || *d->from == '.'))
        d->from++;
    return true;
}

enum map_integer_fit map_read_integer(struct slice text, int64_t *out)
{
    struct decimal d;
    if (!take_apart(text, &d))
        return MAP_NO_NUMBER;
    *out = 0;
    if (d.from == d.to)
        return MAP_INTEGER;
    if (d.exponent < 0)
        return MAP_FRACTION;
    uint64_t v = 0, limit = d.negative ? (uint64_t)INT64_MAX + 1 : INT64_MAX;
    for (const char *p = d.from; p < d.to; p++) {
        if (*p == '.')
            continue;
        unsigned digit = (unsigned)(*p - '0');
        if (v > (limit - digit) / 10)
            return MAP_OUT_OF_RANGE;
        v = v * 10 + digit;
    }
    for (; d.exponent > 0; d.exponent--) {
        if (v > limit / 10)
            return MAP_OUT_OF_RANGE;
        v *= 10;
    }
    *out = (int64_t)(d.negative ? 0 - v : v);
    return MAP_INTEGER;
}

bool map_integer_to_text(const struct cql_type *type, struct slice cell, struct buf *out,
                         struct err *err)
{
    (void)type;
    (void)err;
    buf_append_i64_text(out, cql_decode_int(cell));
    return true;
}

bool map_integer_from_text(const struct cql_type *type, struct slice text, struct arena *arena,
                           struct slice *cell, struct err *err)
{
    const struct map_codec *codec = map_codec_find(type->id);
    int64_t v = 0;
    int spare = 64 - 8 * (int)codec->size;
    switch (map_read_integer(text, &v)) {
    case MAP_NO_NUMBER:
        return map_refuse(err, text, "is no", codec->name);
    case MAP_FRACTION:
        return map_refuse(err, text, "has a fraction and is no", codec->name);
    case MAP_OUT_OF_RANGE:
        return map_refuse(err, text, "does not fit into", codec->name);
    case MAP_INTEGER:
        break;
    }
    if (v > INT64_MAX >> spare || v < INT64_MIN >> spare)
        return map_refuse(err, text, "does not fit into", codec->name);
    char bytes[8];
    cql_encode_i64(bytes, v);
    *cell = arena_copy(arena, slice_of(bytes + 8 - codec->size, codec->size));
    return true;
}

bool map_integer_from_json(const struct cql_type *type, const struct json_node *node,
                           struct arena *arena, struct slice *cell, struct err *err)
{
    if (node->type != JSON_NUMBER)
        return map_refuse_node(err, node, map_codec_find(type->id)->name);
    return map_integer_from_text(type, node->text, arena, cell, err);
}

bool map_boolean_to_text(const struct cql_type *type, struct slice cell, struct buf *out,
                         struct err *err)
{
    (void)type;
    (void)err;
    buf_append_str(out, cell.ptr[0] ? "true" : "false");
    return true;
}

bool map_boolean_from_json(const struct cql_type *type, const struct json_node *node,
                           struct arena *arena, struct slice *cell, struct err *err)
{
    (void)type;
    if (node->type != JSON_TRUE && node->type != JSON_FALSE)
        return map_refuse_node(err, node, "boolean");
    *cell = arena_copy(arena, slice_of(node->type == JSON_TRUE ? "\1" : "\0", 1));
    return true;
}

bool map_boolean_from_text(const struct cql_type *type, struct slice text, struct arena *arena,
                           struct slice *cell, struct err *err)
{
    (void)type;
    const bool yes = slice_is(text, "true");
    if (!yes && !slice_is(text, "false"))
        return map_refuse(err, text, "is no", "boolean");
    *cell = arena_copy(arena, slice_of(yes ? "\1" : "\0", 1));
    return true;
}
