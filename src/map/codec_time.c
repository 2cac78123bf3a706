#include "map/codec_time.h"

#include "cql/statement.h"
#include "map/calendar.h"
#include "map/codec_number.h"

static const int64_t EPOCH_DAY = (int64_t)1 << 31; /* 1970-01-01 as a CQL date */

/* Elasticsearch takes a string of up to four digits for a year, longer ones for milliseconds. */
static bool is_millis(struct slice text)
{
    size_t at = text.len && text.ptr[0] == '-';
    if (text.len - at < 5)
        return false;
    for (; at < text.len; at++)
        if (text.ptr[at] < '0' || text.ptr[at] > '9')
            return false;
    return true;
}

static bool read_millis(struct slice text, const char *name, int64_t *ms, struct err *err)
{
    switch (map_read_integer(text, ms)) {
    case MAP_INTEGER:
        return true;
    case MAP_FRACTION:
        return map_refuse(err, text, "is finer than a millisecond and is no", name);
    default:
        return map_refuse(err, text, "does not fit into", name);
    }
}

static bool read_text(struct slice text, const char *name, int64_t *ms, struct err *err)
{
    if (is_millis(text))
        return read_millis(text, name, ms, err);
    switch (calendar_read(text, ms)) {
    case CALENDAR_OK:
        return true;
    case CALENDAR_TOO_FINE:
        return map_refuse(err, text, "is finer than a millisecond and is no", name);
    default:
        return map_refuse(err, text, "is no", name);
    }
}

static bool read_node(const struct json_node *node, const char *name, int64_t *ms, struct err *err)
{
    if (node->type == JSON_NUMBER)
        return read_millis(node->text, name, ms, err);
    if (node->type == JSON_STRING)
        return read_text(node->text, name, ms, err);
    return map_refuse_node(err, node, name);
}

/* The text is a string where it is a date, a number where it is milliseconds. */
static bool quote_date(struct buf *out, size_t from)
{
    struct slice text = slice_of(out->ptr + from, out->len - from);
    if (text.len < 5 || text.ptr[4] != '-')
        return true;
    buf_reserve(out, 2);
    memmove(out->ptr + from + 1, out->ptr + from, text.len);
    out->ptr[from] = '"';
    out->len++;
    buf_append_char(out, '"');
    return true;
}

bool map_timestamp_to_text(const struct cql_type *type, struct slice cell, struct buf *out,
                           struct err *err)
{
    (void)type;
    (void)err;
    int64_t ms = cql_decode_int(cell);
    if (!calendar_append_instant(out, ms))
        buf_append_i64_text(out, ms);
    return true;
}

bool map_timestamp_to_json(const struct cql_type *type, struct slice cell, struct buf *out,
                           struct err *err)
{
    size_t from = out->len;
    return map_timestamp_to_text(type, cell, out, err) && quote_date(out, from);
}

static bool put_timestamp(int64_t ms, struct arena *arena, struct slice *cell)
{
    char bytes[8];
    *cell = arena_copy(arena, cql_encode_i64(bytes, ms));
    return true;
}

bool map_timestamp_from_text(const struct cql_type *type, struct slice text, struct arena *arena,
                             struct slice *cell, struct err *err)
{
    (void)type;
    int64_t ms;
    return read_text(text, "timestamp", &ms, err) && put_timestamp(ms, arena, cell);
}

bool map_timestamp_from_json(const struct cql_type *type, const struct json_node *node,
                             struct arena *arena, struct slice *cell, struct err *err)
{
    (void)type;
    int64_t ms;
    return read_node(node, "timestamp", &ms, err) && put_timestamp(ms, arena, cell);
}

bool map_date_to_text(const struct cql_type *type, struct slice cell, struct buf *out,
                      struct err *err)
{
    (void)type;
    (void)err;
    int64_t days = (int64_t)(uint32_t)cql_decode_int(cell) - EPOCH_DAY;
    if (!calendar_append_date(out, days))
        buf_append_i64_text(out, days * CALENDAR_DAY_MS);
    return true;
}

bool map_date_to_json(const struct cql_type *type, struct slice cell, struct buf *out,
                      struct err *err)
{
    size_t from = out->len;
    return map_date_to_text(type, cell, out, err) && quote_date(out, from);
}

static bool put_date(struct slice text, int64_t ms, struct arena *arena, struct slice *cell,
                     struct err *err)
{
    char bytes[4];
    int64_t days = ms / CALENDAR_DAY_MS;
    if (ms % CALENDAR_DAY_MS != 0)
        return map_refuse(err, text, "has a time of day and is no", "date");
    if (days < -EPOCH_DAY || days >= EPOCH_DAY)
        return map_refuse(err, text, "does not fit into", "date");
    *cell = arena_copy(arena, cql_encode_i32(bytes, (int32_t)(uint32_t)(days + EPOCH_DAY)));
    return true;
}

bool map_date_from_text(const struct cql_type *type, struct slice text, struct arena *arena,
                        struct slice *cell, struct err *err)
{
    (void)type;
    int64_t ms;
    return read_text(text, "date", &ms, err) && put_date(text, ms, arena, cell, err);
}

bool map_date_from_json(const struct cql_type *type, const struct json_node *node,
                        struct arena *arena, struct slice *cell, struct err *err)
{
    (void)type;
    int64_t ms;
    return read_node(node, "date", &ms, err) && put_date(node->text, ms, arena, cell, err);
}
