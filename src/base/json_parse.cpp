#include <memory>
#include <new>
#include <simdjson.h>
#include <stdlib.h>

extern "C" {
#include "base/json.h"
#include "base/mem.h"
}

/* simdjson finds and checks what is costly to find byte by byte: UTF-8, the ends of strings, and
 * where each token starts (its stage 1). The grammar is walked here over those starts, because its
 * own second stages convert numbers (and refuse 1e999) or skip what nobody asks for. */

using stage1 = simdjson::internal::dom_parser_implementation;

namespace
{

enum : size_t {
    TEXT_MAX = 0xFFFFFFFF,
    ROOM_MIN = 4096,
    NODES_MAX = 1 << 24,  /* a gigabyte of memory */
    NODES_KEPT = 1 << 20, /* more are given back when the next document starts */
    TEXT_KEPT = 32 << 20, /* memory for longer ones likewise */
    DEPTH_UNUSED = 1,     /* its second stages' */
};

struct token {
    const char *ptr;
    size_t len;
};

} // namespace

struct json_doc {
    std::unique_ptr<stage1> index;
    json_node *nodes;
    size_t count, cap;
    char *strings; /* unescaped texts of the present document, at most as long as it */
    size_t strings_cap, strings_used;

    /* the walk */
    slice input;
    const uint32_t *at, *end;
    uint32_t open[JSON_DEPTH_MAX];
    unsigned depth;
    err *error;
};

extern "C" json_doc *json_doc_new(void)
{
    return new (mem_alloc(sizeof(json_doc))) json_doc();
}

extern "C" void json_doc_free(json_doc *doc)
{
    if (!doc)
        return;
    free(doc->nodes);
    free(doc->strings);
    doc->~json_doc();
    free(doc);
}

extern "C" const json_node *json_root(const json_doc *doc)
{
    return doc->count ? doc->nodes : nullptr;
}

extern "C" size_t json_count(const json_doc *doc)
{
    return doc->count;
}

extern "C" bool json_utf8_valid(slice s)
{
    return s.len == 0 || simdjson::validate_utf8(s.ptr, s.len);
}

namespace
{

char peek(const json_doc *doc)
{
    return doc->at < doc->end ? doc->input.ptr[*doc->at] : '\0';
}

bool fail(json_doc *doc, const char *what)
{
    size_t offset = doc->at < doc->end ? *doc->at : doc->input.len;
    return err_set(doc->error, ERR_VALUE, "JSON: %s at byte %zu", what, offset);
}

bool is_space(char c)
{
    return c == ' ' || c == '\n' || c == '\r' || c == '\t';
}

/* A string or other scalar reaches to the next token, less the white space between. */
token take_token(json_doc *doc)
{
    size_t start = *doc->at;
    size_t stop = doc->at + 1 < doc->end ? doc->at[1] : doc->input.len;
    while (stop > start && is_space(doc->input.ptr[stop - 1]))
        stop--;
    return {doc->input.ptr + start, stop - start};
}

int hex4(const char *p)
{
    int v = 0;
    for (int i = 0; i < 4; i++) {
        int c = p[i];
        int digit = c >= '0' && c <= '9'   ? c - '0'
                    : c >= 'a' && c <= 'f' ? c - 'a' + 10
                    : c >= 'A' && c <= 'F' ? c - 'A' + 10
                                           : -1;
        if (digit < 0)
            return -1;
        v = v << 4 | digit;
    }
    return v;
}

char *put_utf8(char *out, uint32_t c)
{
    if (c < 0x80) {
        *out++ = (char)c;
    } else if (c < 0x800) {
        *out++ = (char)(0xC0 | c >> 6);
        *out++ = (char)(0x80 | (c & 0x3F));
    } else if (c < 0x10000) {
        *out++ = (char)(0xE0 | c >> 12);
        *out++ = (char)(0x80 | (c >> 6 & 0x3F));
        *out++ = (char)(0x80 | (c & 0x3F));
    } else {
        *out++ = (char)(0xF0 | c >> 18);
        *out++ = (char)(0x80 | (c >> 12 & 0x3F));
        *out++ = (char)(0x80 | (c >> 6 & 0x3F));
        *out++ = (char)(0x80 | (c & 0x3F));
    }
    return out;
}

/* The escape \uXXXX whose digits start at in (and the second half of a pair); returns what is
 * behind it or NULL. */
const char *unescape_u(const char *in, const char *stop, char **out, bool *half)
{
    int high = stop - in >= 4 ? hex4(in) : -1;
    if (high < 0)
        return nullptr;
    in += 4;
    uint32_t c = (uint32_t)high;
    if (c >= 0xD800 && c < 0xDC00 && stop - in >= 6 && in[0] == '\\' && in[1] == 'u') {
        int low = hex4(in + 2);
        if (low >= 0xDC00 && low < 0xE000) {
            c = 0x10000 + ((c - 0xD800) << 10) + ((uint32_t)low - 0xDC00);
            in += 6;
        }
    }
    if (c >= 0xD800 && c < 0xE000)
        *half = true;
    *out = put_utf8(*out, c);
    return in;
}

const char *unescape_one(const char *in, const char *stop, char **out, bool *half)
{
    static const char from[] = "\"\\/bfnrt", to[] = "\"\\/\b\f\n\r\t";
    if (in == stop)
        return nullptr;
    if (*in == 'u')
        return unescape_u(in + 1, stop, out, half);
    const char *hit = *in ? strchr(from, *in) : nullptr;
    if (!hit)
        return nullptr;
    *(*out)++ = to[hit - from];
    return in + 1;
}

/* body has a backslash. */
bool unescape(json_doc *doc, slice body, slice *text, bool *half)
{
    if (!doc->strings || doc->strings_cap < doc->input.len) {
        free(doc->strings);
        doc->strings = (char *)mem_alloc(doc->input.len);
        doc->strings_cap = doc->input.len;
    }
    char *start = doc->strings + doc->strings_used, *out = start;
    const char *in = body.ptr, *stop = body.ptr + body.len;
    while (in < stop) {
        const char *escape = (const char *)memchr(in, '\\', (size_t)(stop - in));
        size_t run = (size_t)((escape ? escape : stop) - in);
        memcpy(out, in, run);
        out += run;
        in += run;
        if (escape)
            in = unescape_one(in + 1, stop, &out, half);
        if (!in)
            return fail(doc, "invalid escape in the string");
    }
    *text = {start, (size_t)(out - start)};
    doc->strings_used += text->len;
    return true;
}

bool take_string(json_doc *doc, slice *text, slice *raw, bool *half)
{
    token t = take_token(doc);
    if (t.len < 2 || t.ptr[0] != '"' || t.ptr[t.len - 1] != '"')
        return fail(doc, "string expected");
    slice body = {t.ptr + 1, t.len - 2};
    *raw = {t.ptr, t.len};
    *half = false;
    if (!memchr(body.ptr, '\\', body.len))
        *text = body;
    else if (!unescape(doc, body, text, half))
        return false;
    doc->at++;
    return true;
}

const char *digits(const char *p, const char *stop)
{
    while (p < stop && *p >= '0' && *p <= '9')
        p++;
    return p;
}

bool is_number(token t)
{
    const char *p = t.ptr, *stop = t.ptr + t.len;
    if (p < stop && *p == '-')
        p++;
    const char *from = p;
    p = digits(p, stop);
    if (p == from || (*from == '0' && p - from > 1))
        return false;
    if (p < stop && *p == '.') {
        from = ++p;
        if ((p = digits(p, stop)) == from)
            return false;
    }
    if (p < stop && (*p == 'e' || *p == 'E')) {
        p++;
        if (p < stop && (*p == '+' || *p == '-'))
            p++;
        from = p;
        if ((p = digits(p, stop)) == from)
            return false;
    }
    return p == stop;
}

bool take_word(json_doc *doc, json_node *n, json_type type, slice word)
{
    if (!slice_equal(n->raw, word))
        return fail(doc, "unknown word");
    n->type = type;
    doc->at++;
    return true;
}

bool take_scalar(json_doc *doc, json_node *n)
{
    char c = peek(doc);
    if (c == '"') {
        n->type = JSON_STRING;
        return take_string(doc, &n->text, &n->raw, &n->half_pair);
    }
    if (doc->at == doc->end)
        return fail(doc, "value expected");
    token t = take_token(doc);
    n->raw = n->text = {t.ptr, t.len};
    switch (c) {
    case 'n':
        return take_word(doc, n, JSON_NULL, SLICE_LIT("null"));
    case 't':
        return take_word(doc, n, JSON_TRUE, SLICE_LIT("true"));
    case 'f':
        return take_word(doc, n, JSON_FALSE, SLICE_LIT("false"));
    default:
        break;
    }
    n->type = JSON_NUMBER;
    if (!is_number(t))
        return fail(doc, (c >= '0' && c <= '9') || c == '-' ? "invalid number" : "value expected");
    doc->at++;
    return true;
}

json_node *add_node(json_doc *doc, slice key)
{
    if (doc->count == doc->cap) {
        doc->cap = doc->cap ? doc->cap * 2 : 64;
        doc->nodes = (json_node *)mem_realloc(doc->nodes, doc->cap * sizeof *doc->nodes);
    }
    json_node *n = &doc->nodes[doc->count++];
    *n = json_node();
    n->span = 1;
    n->key = key;
    return n;
}

bool open_container(json_doc *doc, json_node *n, char c)
{
    if (doc->depth == JSON_DEPTH_MAX)
        return err_set(doc->error, ERR_TOO_LARGE, "JSON: nested deeper than %d at byte %u",
                       JSON_DEPTH_MAX, *doc->at);
    n->type = c == '{' ? JSON_OBJECT : JSON_ARRAY;
    n->raw.ptr = doc->input.ptr + *doc->at;
    doc->open[doc->depth++] = (uint32_t)(doc->count - 1);
    doc->at++;
    return true;
}

void close_container(json_doc *doc)
{
    json_node *n = &doc->nodes[doc->open[--doc->depth]];
    n->raw.len = (size_t)(doc->input.ptr + *doc->at + 1 - n->raw.ptr);
    n->text = n->raw;
    n->span = (uint32_t)(doc->nodes + doc->count - n);
    doc->at++;
}

/* Between two values: what ends here, then the comma, then the key. False with depth 0: the end. */
bool next_value(json_doc *doc, bool opened, slice *key)
{
    while (doc->depth) {
        json_node *top = &doc->nodes[doc->open[doc->depth - 1]];
        bool object = top->type == JSON_OBJECT;
        char c = peek(doc);
        if (c == (object ? '}' : ']')) {
            close_container(doc);
            opened = false;
            continue;
        }
        if (!opened) {
            if (c != ',')
                return fail(doc, object ? "',' or '}' expected" : "',' or ']' expected");
            doc->at++;
        }
        top->children++;
        *key = SLICE_NULL;
        if (!object)
            return true;
        slice raw;
        bool half;
        if (peek(doc) != '"')
            return fail(doc, "member name expected");
        if (!take_string(doc, key, &raw, &half))
            return false;
        if (peek(doc) != ':')
            return fail(doc, "':' expected");
        doc->at++;
        return true;
    }
    return false;
}

bool walk(json_doc *doc)
{
    slice key = SLICE_NULL;
    do {
        if (doc->count == NODES_MAX)
            return err_set(doc->error, ERR_TOO_LARGE, "JSON: more than %zu values",
                           (size_t)NODES_MAX);
        json_node *n = add_node(doc, key);
        char c = peek(doc);
        bool opened = c == '{' || c == '[';
        if (!(opened ? open_container(doc, n, c) : take_scalar(doc, n)))
            return false;
        if (!next_value(doc, opened, &key)) {
            if (doc->depth)
                return false;
            break;
        }
    } while (true);
    return doc->at == doc->end || fail(doc, "more behind the end");
}

/* Slow, for errors only. */
size_t utf8_error_offset(slice s)
{
    size_t good = 0, bad = s.len;
    while (good + 1 < bad) {
        size_t middle = good + (bad - good) / 2, cut = middle;
        while (cut > good && ((unsigned char)s.ptr[cut] & 0xC0) == 0x80)
            cut--;
        if (cut == good || json_utf8_valid({s.ptr, cut}))
            good = middle;
        else
            bad = cut;
    }
    return good;
}

/* The first control character in a string, or the start of the string that is never closed. */
size_t string_error_offset(slice s)
{
    size_t start = s.len;
    bool inside = false;
    for (size_t i = 0; i < s.len; i++) {
        if (inside && (unsigned char)s.ptr[i] < 0x20)
            return i;
        if (inside && s.ptr[i] == '\\') {
            i++;
        } else if (s.ptr[i] == '"') {
            inside = !inside;
            start = i;
        }
    }
    return start;
}

bool stage1_failed(json_doc *doc, simdjson::error_code code)
{
    switch (code) {
    case simdjson::UTF8_ERROR:
        return err_set(doc->error, ERR_VALUE, "JSON: not UTF-8 near byte %zu",
                       utf8_error_offset(doc->input));
    case simdjson::UNESCAPED_CHARS:
        return err_set(doc->error, ERR_VALUE, "JSON: control character in the string at byte %zu",
                       string_error_offset(doc->input));
    case simdjson::UNCLOSED_STRING:
        return err_set(doc->error, ERR_VALUE, "JSON: string without an end at byte %zu",
                       string_error_offset(doc->input));
    case simdjson::EMPTY:
        return err_set(doc->error, ERR_VALUE, "JSON: nothing there at byte 0");
    default:
        return err_set(doc->error, ERR_VALUE, "JSON: %s", simdjson::error_message(code));
    }
}

/* Memory of a giant before is not kept for the small ones that follow. */
void prepare(json_doc *doc, slice text, err *error)
{
    if (doc->cap > NODES_KEPT) {
        free(doc->nodes);
        doc->nodes = nullptr;
        doc->cap = 0;
    }
    if (doc->strings_cap > TEXT_KEPT) {
        free(doc->strings);
        doc->strings = nullptr;
        doc->strings_cap = 0;
    }
    if (doc->index && doc->index->capacity() > TEXT_KEPT && text.len <= TEXT_KEPT)
        doc->index.reset();
    doc->count = doc->strings_used = 0;
    doc->depth = 0;
    doc->input = text;
    doc->error = error;
    size_t room = ROOM_MIN;
    while (room < text.len)
        room = room > TEXT_MAX / 2 ? TEXT_MAX : room * 2;
    simdjson::error_code code = simdjson::SUCCESS;
    if (!doc->index)
        code = simdjson::get_active_implementation()->create_dom_parser_implementation(
            room, DEPTH_UNUSED, doc->index);
    else if (doc->index->capacity() < text.len)
        code = doc->index->allocate(room, DEPTH_UNUSED);
    if (code) /* the process ends as for any other memory that isn't there */
        free(mem_alloc(SIZE_MAX));
}

} // namespace

extern "C" bool json_parse(json_doc *doc, slice text, bool padded, err *error)
{
    (void)padded;
    doc->count = 0;
    if (text.len > TEXT_MAX)
        return err_set(error, ERR_TOO_LARGE, "JSON: %zu bytes are more than 4 GiB", text.len);
    if (text.len == 0)
        return err_set(error, ERR_VALUE, "JSON: nothing there at byte 0");
    prepare(doc, text, error);
    simdjson::error_code code =
        doc->index->stage1((const uint8_t *)text.ptr, text.len, simdjson::stage1_mode::regular);
    doc->at = doc->index->structural_indexes.get();
    doc->end = doc->at + doc->index->n_structural_indexes;
    bool ok = code ? stage1_failed(doc, code) : walk(doc);
    if (!ok)
        doc->count = 0;
    return ok;
}
