#include "map/codec_span.h"

#include "cql/statement.h"
#include "map/vint.h"

#define SECOND ((int64_t)1000000000)
#define MINUTE (60 * SECOND)
#define HOUR   (60 * MINUTE)
#define DAY    (24 * HOUR)

/* --- time: nanoseconds since midnight */

bool map_time_to_text(const struct cql_type *type, struct slice cell, struct buf *out,
                      struct err *err)
{
    (void)type;
    int64_t ns = cql_decode_int(cell);
    if (ns < 0 || ns >= DAY)
        return err_set(err, ERR_VALUE, "%lld ns are no time of day", (long long)ns);
    buf_printf(out, "%02d:%02d:%02d.%09d", (int)(ns / HOUR), (int)(ns / MINUTE % 60),
               (int)(ns / SECOND % 60), (int)(ns % SECOND));
    return true;
}

static bool two_digits(struct slice s, size_t at, int limit, int64_t *out)
{
    if (at + 2 > s.len)
        return false;
    int tens = s.ptr[at] - '0', ones = s.ptr[at + 1] - '0';
    *out = tens * 10 + ones;
    return tens >= 0 && tens <= 9 && ones >= 0 && ones <= 9 && *out < limit;
}

static bool fraction(struct slice s, int64_t *ns)
{
    int64_t unit = SECOND / 10;
    *ns = 0;
    for (size_t i = 0; i < s.len; i++, unit /= 10) {
        if (s.ptr[i] < '0' || s.ptr[i] > '9' || (unit == 0 && s.ptr[i] != '0'))
            return false;
        *ns += unit * (s.ptr[i] - '0');
    }
    return s.len > 0;
}

static bool read_time(struct slice s, int64_t *ns)
{
    int64_t hour, minute, second = 0, rest = 0;
    if (!two_digits(s, 0, 24, &hour) || s.len < 5 || s.ptr[2] != ':' ||
        !two_digits(s, 3, 60, &minute))
        return false;
    if (s.len > 5 && (s.ptr[5] != ':' || !two_digits(s, 6, 60, &second)))
        return false;
    if (s.len > 8 && (s.ptr[8] != '.' || !fraction(slice_of(s.ptr + 9, s.len - 9), &rest)))
        return false;
    *ns = hour * HOUR + minute * MINUTE + second * SECOND + rest;
    return true;
}

bool map_time_from_text(const struct cql_type *type, struct slice text, struct arena *arena,
                        struct slice *cell, struct err *err)
{
    (void)type;
    int64_t ns;
    char bytes[8];
    if (!read_time(text, &ns))
        return map_refuse(err, text, "is no", "time");
    *cell = arena_copy(arena, cql_encode_i64(bytes, ns));
    return true;
}

/* --- duration: months, days, nanoseconds as signed vints (native protocol v5, section 3) */

enum part { MONTHS, DAYS, NANOS, PARTS };

static const struct unit {
    const char *name, *iso; /* iso: NULL where ISO 8601 has none */
    enum part part;
    int64_t size;
    bool in_time; /* of ISO 8601: behind the T */
    bool written;
} units[] = {
    {"y", "Y", MONTHS, 12, false, true},   {"mo", "M", MONTHS, 1, false, true},
    {"w", "W", DAYS, 7, false, false},     {"d", "D", DAYS, 1, false, true},
    {"h", "H", NANOS, HOUR, true, true},   {"m", "M", NANOS, MINUTE, true, true},
    {"s", "S", NANOS, SECOND, true, true}, {"ms", NULL, NANOS, 1000000, true, true},
    {"us", NULL, NANOS, 1000, true, true}, {"ns", NULL, NANOS, 1, true, true},
};

static bool read_vint(struct slice *s, int64_t *out)
{
    uint64_t v;
    if (!map_vint_read(s, &v))
        return false;
    *out = (int64_t)(v >> 1 ^ (0 - (v & 1)));
    return true;
}

static void append_vint(struct buf *out, int64_t v)
{
    char bytes[MAP_VINT_MAX];
    buf_append(out, bytes, map_vint_write(bytes, (uint64_t)v << 1 ^ (uint64_t)(v >> 63)));
}

static bool read_cell(struct slice cell, int64_t v[PARTS], struct err *err)
{
    bool negative = false, positive = false;
    for (int i = 0; i < PARTS; i++) {
        if (!read_vint(&cell, &v[i]) || (i != NANOS && (v[i] > INT32_MAX || v[i] < INT32_MIN)))
            return err_set(err, ERR_VALUE, "broken value of type duration");
        negative = negative || v[i] < 0;
        positive = positive || v[i] > 0;
    }
    if (cell.len || (negative && positive))
        return err_set(err, ERR_VALUE, "broken value of type duration");
    return true;
}

bool map_duration_to_text(const struct cql_type *type, struct slice cell, struct buf *out,
                          struct err *err)
{
    (void)type;
    int64_t v[PARTS] = {0};
    uint64_t rest[PARTS];
    if (!read_cell(cell, v, err))
        return false;
    if (v[MONTHS] < 0 || v[DAYS] < 0 || v[NANOS] < 0)
        buf_append_char(out, '-');
    for (int i = 0; i < PARTS; i++)
        rest[i] = v[i] < 0 ? 0 - (uint64_t)v[i] : (uint64_t)v[i];
    if (!v[MONTHS] && !v[DAYS] && !v[NANOS])
        buf_append_str(out, "0s");
    for (size_t i = 0; i < ARRAY_LEN(units); i++) {
        uint64_t size = (uint64_t)units[i].size, count = rest[units[i].part] / size;
        if (!units[i].written || count == 0)
            continue;
        rest[units[i].part] -= count * size;
        buf_append_i64_text(out, (int64_t)count);
        buf_append_str(out, units[i].name);
    }
    return true;
}

/* The unit whose name s starts with: the longest, as "m" is the front of "mo" and "ms". */
static const struct unit *find_unit(struct slice s, bool iso, bool in_time)
{
    const struct unit *found = NULL;
    size_t longest = 0;
    for (size_t i = 0; i < ARRAY_LEN(units); i++) {
        const char *name = iso ? units[i].iso : units[i].name;
        size_t len = name ? strlen(name) : 0;
        if (len > longest && len <= s.len && memcmp(name, s.ptr, len) == 0 &&
            (!iso || units[i].in_time == in_time)) {
            found = &units[i];
            longest = len;
        }
    }
    return found;
}

static bool take_count(struct slice *s, uint64_t *out)
{
    size_t at = 0;
    *out = 0;
    for (; at < s->len && s->ptr[at] >= '0' && s->ptr[at] <= '9'; at++)
        if (__builtin_mul_overflow(*out, (uint64_t)10, out) ||
            __builtin_add_overflow(*out, (uint64_t)(s->ptr[at] - '0'), out))
            return false;
    *s = slice_of(s->ptr + at, s->len - at);
    return at > 0;
}

static bool take_char(struct slice *s, char c)
{
    if (s->len == 0 || s->ptr[0] != c)
        return false;
    *s = slice_of(s->ptr + 1, s->len - 1);
    return true;
}

/* Sizes without their common sign; each unit once. */
static bool read_sizes(struct slice s, uint64_t sizes[PARTS])
{
    bool iso = take_char(&s, 'P'), in_time = false;
    unsigned seen = 0;
    while (s.len) {
        uint64_t count, size;
        if (iso && !in_time && take_char(&s, 'T'))
            in_time = true;
        if (!take_count(&s, &count))
            return false;
        const struct unit *unit = find_unit(s, iso, in_time);
        if (!unit || seen & 1U << (unit - units))
            return false;
        seen |= 1U << (unit - units);
        size_t len = strlen(iso ? unit->iso : unit->name);
        s = slice_of(s.ptr + len, s.len - len);
        if (__builtin_mul_overflow(count, (uint64_t)unit->size, &size) ||
            __builtin_add_overflow(sizes[unit->part], size, &sizes[unit->part]))
            return false;
    }
    return seen != 0;
}

bool map_duration_from_text(const struct cql_type *type, struct slice text, struct arena *arena,
                            struct slice *cell, struct err *err)
{
    (void)type;
    static const uint64_t limits[PARTS] = {INT32_MAX, INT32_MAX, INT64_MAX};
    struct slice rest = text;
    uint64_t sizes[PARTS] = {0};
    bool negative = take_char(&rest, '-');
    struct buf bytes = {0};
    if (!read_sizes(rest, sizes))
        return map_refuse(err, text, "is no", "duration");
    for (int i = 0; i < PARTS; i++) {
        if (sizes[i] > limits[i] + negative) {
            buf_free(&bytes);
            return map_refuse(err, text, "does not fit into", "duration");
        }
        append_vint(&bytes, (int64_t)(negative ? 0 - sizes[i] : sizes[i]));
    }
    *cell = arena_copy(arena, buf_slice(&bytes));
    buf_free(&bytes);
    return true;
}
