#include "app/command.h"

#include "app/plain.h"
#include "app/remote.h"

#include <stdio.h>

static void no_line(void *ctx, struct slice line)
{
    (void)ctx;
    (void)line;
}

static void append_side(struct buf *out, const char *title, const struct json_node *side,
                        const char *content)
{
    buf_printf(out, "%-14s ", title);
    if (!side || side->type != JSON_OBJECT) {
        buf_append_str(out, "nothing\n");
        return;
    }
    const struct json_node *version = json_member(side, "version");
    if (version && version->type == JSON_NULL)
        buf_append_str(out, "no entry left");
    else {
        buf_append_str(out, "version ");
        plain_append_member(out, side, "version");
    }
    buf_append_str(out, "  ");
    plain_append_member(out, side, content);
    buf_append_char(out, '\n');
}

static void append_text(struct buf *out, const struct json_node *root)
{
    const struct json_node *cassandra = json_member(root, "cassandra");
    append_side(out, "Elasticsearch", json_member(root, "elasticsearch"), "source");
    append_side(out, "Cassandra", cassandra, "row");
    const struct json_node *times = json_member(cassandra, "writetimes");
    if (times && times->children) {
        buf_printf(out, "%-14s ", "  write times");
        plain_append(out, times->raw);
        buf_append_char(out, '\n');
    }
    const struct json_node *differences = json_member(root, "differences");
    for (const struct json_node *n = differences ? json_first(differences) : NULL; n;
         n = json_next(differences, n)) {
        buf_printf(out, "%-14s ", "  differs");
        plain_append_member(out, n, "field");
        buf_append_str(out, ": ");
        plain_append_member(out, n, "elasticsearch");
        buf_append_str(out, " in Elasticsearch, ");
        plain_append_member(out, n, "cassandra");
        buf_append_str(out, " in Cassandra\n");
    }
    const struct json_node *letters = json_member(root, "dead_letters");
    for (const struct json_node *n = letters ? json_first(letters) : NULL; n;
         n = json_next(letters, n)) {
        buf_printf(out, "%-14s version ", "dead letter");
        plain_append_member(out, n, "version");
        buf_append_str(out, ": ");
        plain_append_member(out, n, "reason");
        buf_append_char(out, '\n');
    }
    buf_printf(out, "%-14s ", "decision");
    plain_append_member(out, root, "decision");
    buf_append_str(out, " (");
    plain_append_member(out, root, "rule");
    buf_append_str(out, "): ");
    plain_append_member(out, root, "why");
    buf_append_char(out, '\n');
}

static bool on_neither_side(const struct json_node *root)
{
    const struct json_node *es = json_member(root, "elasticsearch");
    const struct json_node *cassandra = json_member(root, "cassandra");
    return es && es->type == JSON_NULL && cassandra && cassandra->type == JSON_NULL;
}

static enum exit_code show(struct slice line, bool json, struct err *err)
{
    struct json_doc *doc = json_doc_new();
    enum exit_code code = EXIT_STATE;
    if (json_parse(doc, line, false, err)) {
        struct buf out = {0};
        if (json) {
            buf_append_slice(&out, line);
            buf_append_char(&out, '\n');
        } else {
            append_text(&out, json_root(doc));
        }
        code = on_neither_side(json_root(doc)) ? EXIT_FOUND : EXIT_DONE;
        command_print(&out);
    }
    json_doc_free(doc);
    return code;
}

enum exit_code cmd_explain(const struct command_line *line)
{
    struct session s = {0};
    struct err err = {0};
    struct buf request = {0}, result = {0};
    bool fine = line->argument != NULL || err_set(&err, ERR_CONFIG, "explain needs a key");
    buf_append_str(&request, "{\"command\":\"explain\",\"key\":");
    if (fine && !json_append_string(&request, slice_str(line->argument)))
        fine = err_set(&err, ERR_CONFIG, "the key is no UTF-8");
    buf_append_char(&request, '}');
    fine = fine && session_open(&s, line, &err) &&
           remote_run(&s, buf_slice(&request), no_line, NULL, &result, &err);
    session_close(&s);
    enum exit_code code = EXIT_DONE;
    if (fine) {
        code = show(buf_slice(&result), line->values[OPT_JSON] != NULL, &err);
        fine = code != EXIT_STATE;
    }
    buf_free(&request);
    buf_free(&result);
    return fine ? code : command_fail(&err);
}
