#include "app/status_report.h"

#include "app/plain.h"
#include "base/json.h"

static void append_members(const struct json_node *parent, struct buf *path, struct buf *out)
{
    size_t len = path->len;
    size_t index = 0;
    for (const struct json_node *n = json_first(parent); n; n = json_next(parent, n)) {
        if (parent->type == JSON_ARRAY) {
            buf_printf(path, "[%zu]", ++index);
        } else {
            buf_append_str(path, len ? "." : "");
            plain_append(path, n->key);
        }
        if (slice_is(n->key, "history")) {
            path->len = len;
            continue;
        }
        if (n->type == JSON_OBJECT || n->type == JSON_ARRAY) {
            append_members(n, path, out);
        } else {
            buf_append_slice(out, buf_slice(path));
            buf_append_str(out, ": ");
            plain_append(out, n->text);
            buf_append_char(out, '\n');
        }
        path->len = len;
    }
}

bool status_report_text(struct slice json, struct buf *out)
{
    struct json_doc *doc = json_doc_new();
    struct buf path = {0};
    bool fine = json_parse(doc, json, false, NULL) && json_root(doc)->type == JSON_OBJECT;
    if (fine)
        append_members(json_root(doc), &path, out);
    buf_free(&path);
    json_doc_free(doc);
    return fine;
}

bool status_report_healthy(struct slice json)
{
    struct json_doc *doc = json_doc_new();
    const struct json_node *healthy =
        json_parse(doc, json, false, NULL) ? json_member(json_root(doc), "healthy") : NULL;
    bool result = healthy && healthy->type == JSON_TRUE;
    json_doc_free(doc);
    return result;
}
