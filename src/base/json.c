#include "base/json.h"

static const struct json_node *find_member(const struct json_node *object, struct slice name)
{
    if (!object || object->type != JSON_OBJECT)
        return NULL;
    const struct json_node *found = NULL;
    for (const struct json_node *n = json_first(object); n; n = json_next(object, n))
        if (slice_equal(n->key, name))
            found = n;
    return found;
}

const struct json_node *json_member(const struct json_node *object, const char *name)
{
    return find_member(object, slice_str(name));
}

const struct json_node *json_path(const struct json_node *object, const char *path)
{
    for (;;) {
        const char *dot = strchr(path, '.');
        if (!dot)
            return find_member(object, slice_str(path));
        object = find_member(object, slice_of(path, (size_t)(dot - path)));
        path = dot + 1;
    }
}

bool json_int64(const struct json_node *n, int64_t *out)
{
    if (!n || n->type != JSON_NUMBER)
        return false;
    bool negative = n->text.ptr[0] == '-';
    uint64_t limit = negative ? (uint64_t)INT64_MAX + 1 : INT64_MAX, v = 0;
    for (size_t i = negative; i < n->text.len; i++) {
        if (n->text.ptr[i] < '0' || n->text.ptr[i] > '9')
            return false;
        unsigned digit = (unsigned)(n->text.ptr[i] - '0');
        if (v > (limit - digit) / 10)
            return false;
        v = v * 10 + digit;
    }
    *out = negative ? (int64_t)(0 - v) : (int64_t)v;
    return true;
}

static void append_escape(struct buf *out, unsigned c)
{
    static const char letters[32] = {
        ['\b'] = 'b', ['\t'] = 't', ['\n'] = 'n', ['\f'] = 'f', ['\r'] = 'r'};
    char text[6] = {'\\', 'u'};
    if (c == '"' || c == '\\' || (c < 32 && letters[c])) {
        text[1] = (char)(c < 32 ? letters[c] : (char)c);
        buf_append(out, text, 2);
        return;
    }
    for (int i = 0; i < 4; i++)
        text[2 + i] = "0123456789abcdef"[c >> (12 - 4 * i) & 15];
    buf_append(out, text, sizeof text);
}

/* Whether the bytes at p are half of a surrogate pair as the parser leaves it. */
static bool is_half(const unsigned char *p, size_t left)
{
    return left >= 3 && p[0] == 0xED && p[1] >= 0xA0;
}

static void append_quoted(struct buf *out, struct slice text, bool halves)
{
    const unsigned char *p = (const unsigned char *)text.ptr;
    size_t from = 0;
    buf_reserve(out, text.len + 2);
    buf_append_char(out, '"');
    for (size_t i = 0; i < text.len; i++) {
        bool half = halves && is_half(p + i, text.len - i);
        if (p[i] >= 0x20 && p[i] != '"' && p[i] != '\\' && !half)
            continue;
        buf_append(out, p + from, i - from);
        if (half) {
            append_escape(out, 0xD000U | (p[i + 1] & 0x3FU) << 6 | (p[i + 2] & 0x3FU));
            i += 2;
        } else {
            append_escape(out, p[i]);
        }
        from = i + 1;
    }
    buf_append(out, p + from, text.len - from);
    buf_append_char(out, '"');
}

bool json_append_string(struct buf *out, struct slice text)
{
    if (!json_utf8_valid(text))
        return false;
    append_quoted(out, text, false);
    return true;
}

void json_append_parsed(struct buf *out, struct slice text)
{
    append_quoted(out, text, true);
}

void json_append_member(struct buf *out, const char *name, struct slice text)
{
    buf_printf(out, "\"%s\":", name);
    json_append_parsed(out, text);
}
