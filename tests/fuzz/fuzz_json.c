// layer: base
#include "base/json.h"

#include <stdint.h>
#include <stdlib.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void expect(bool ok)
{
    if (!ok)
        abort();
}

static void render(const struct json_node *n, struct buf *out)
{
    if (n->key.ptr) {
        json_append_parsed(out, n->key);
        buf_append_char(out, ':');
    }
    if (n->type == JSON_STRING) {
        json_append_parsed(out, n->text);
        return;
    }
    if (n->type != JSON_ARRAY && n->type != JSON_OBJECT) {
        buf_append_slice(out, n->raw);
        return;
    }
    buf_append_char(out, n->type == JSON_ARRAY ? '[' : '{');
    uint32_t seen = 0;
    for (const struct json_node *c = json_first(n); c; c = json_next(n, c)) {
        if (seen++)
            buf_append_char(out, ',');
        render(c, out);
    }
    expect(seen == n->children);
    buf_append_char(out, n->type == JSON_ARRAY ? ']' : '}');
}

static void expect_same(const struct json_doc *a, const struct json_doc *b)
{
    expect(json_count(a) == json_count(b));
    for (size_t i = 0; i < json_count(a); i++) {
        const struct json_node *x = json_root(a) + i, *y = json_root(b) + i;
        expect(x->type == y->type && x->children == y->children && x->span == y->span);
        expect(slice_equal(x->key, y->key) && x->half_pair == y->half_pair);
        if (x->type == JSON_STRING || x->type == JSON_NUMBER)
            expect(slice_equal(x->text, y->text));
        expect(x->type != JSON_STRING || json_utf8_valid(x->text) == !x->half_pair);
    }
}

/* What was read, written and read again is the same; each raw slice is a document of its own. */
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static struct json_doc *doc, *again;
    if (!doc) {
        doc = json_doc_new();
        again = json_doc_new();
    }
    struct err err = {0};
    if (!json_parse(doc, slice_of(data, size), false, &err)) {
        expect(err.code == ERR_VALUE || err.code == ERR_TOO_LARGE);
        expect(json_root(doc) == NULL);
        return 0;
    }
    struct buf out = {0};
    render(json_root(doc), &out);
    expect(json_parse(again, buf_slice(&out), false, &err));
    expect_same(doc, again);
    buf_free(&out);
    size_t step = json_count(doc) / 8 + 1;
    for (size_t i = 0; i < json_count(doc); i += step) {
        const struct json_node *n = json_root(doc) + i;
        expect(json_parse(again, n->raw, false, &err));
        expect(json_count(again) == n->span);
    }
    int64_t v;
    if (json_int64(json_root(doc), &v))
        expect(json_root(doc)->type == JSON_NUMBER);
    return 0;
}
