#include "app/command.h"

#include "app/plain.h"
#include "app/remote.h"

#include <stdio.h>
#include <string.h>

/* What is printed of the answer. */
struct view {
    bool json;
    int64_t items;
    struct json_doc *doc;
    struct buf out;
};

static void append_letter(struct buf *out, const struct json_node *letter)
{
    const struct json_node *direction = json_member(letter, "direction");
    plain_append_member(out, letter, "key");
    buf_append_str(out, "  version ");
    plain_append_member(out, letter, "version");
    buf_append_str(out, direction && slice_is(direction->text, "to_cassandra")
                            ? "  to Cassandra: "
                            : "  to Elasticsearch: ");
    plain_append_member(out, letter, "reason");
    buf_append_char(out, '\n');
}

static void on_item(void *ctx, struct slice line)
{
    struct view *v = ctx;
    if (!json_parse(v->doc, line, false, NULL))
        return;
    const struct json_node *letter = json_member(json_root(v->doc), "item");
    if (!letter)
        return;
    if (v->json) {
        buf_append_str(&v->out, v->items ? "," : "{\"dead_letters\":[");
        buf_append_slice(&v->out, letter->raw);
    } else {
        append_letter(&v->out, letter);
    }
    v->items++;
    (void)!fwrite(v->out.ptr, 1, v->out.len, stdout);
    buf_clear(&v->out);
}

static void show_text(struct view *v, const struct json_node *result)
{
    const struct json_node *letters = json_member(result, "dead_letters");
    for (const struct json_node *n = letters ? json_first(letters) : NULL; n;
         n = json_next(letters, n)) {
        append_letter(&v->out, n);
        const struct json_node *payload = json_member(n, "payload");
        buf_append_str(&v->out, "  ");
        buf_append_slice(&v->out, payload ? payload->raw : SLICE_LIT("null"));
        buf_append_char(&v->out, '\n');
    }
}

static int64_t number(const struct json_node *result, const char *name)
{
    int64_t value = 0;
    const struct json_node *node = json_member(result, name);
    return node && json_int64(node, &value) ? value : 0;
}

/* The last line; says how it ended. */
static enum exit_code finish(struct view *v, const char *action, struct slice line)
{
    const struct json_node *result =
        json_parse(v->doc, line, false, NULL) ? json_root(v->doc) : NULL;
    if (strcmp(action, "list") == 0) {
        if (v->json)
            buf_printf(&v->out, "%s],\"count\":%lld}\n", v->items ? "" : "{\"dead_letters\":[",
                       (long long)v->items);
        return v->items ? EXIT_FOUND : EXIT_DONE;
    }
    if (v->json)
        buf_printf(&v->out, "%.*s\n", SLICE_ARG(line));
    if (strcmp(action, "show") == 0) {
        const struct json_node *letters = json_member(result, "dead_letters");
        if (!v->json)
            show_text(v, result);
        return letters && letters->children ? EXIT_DONE : EXIT_FOUND;
    }
    if (strcmp(action, "purge") == 0) {
        if (!v->json)
            buf_printf(&v->out, "%lld purged, %lld left\n", (long long)number(result, "purged"),
                       (long long)number(result, "left"));
        return EXIT_DONE;
    }
    if (!v->json)
        buf_printf(&v->out, "%lld tried: %lld settled, %lld still dead, %lld put off; %lld left\n",
                   (long long)number(result, "tried"), (long long)number(result, "settled"),
                   (long long)number(result, "dead"), (long long)number(result, "put_off"),
                   (long long)number(result, "left"));
    return number(result, "dead") || number(result, "put_off") ? EXIT_FOUND : EXIT_DONE;
}

static bool check_words(const struct command_line *line, struct err *err)
{
    static const struct {
        const char *name;
        bool takes_key, needs_key;
    } actions[] = {{"list", false, false},
                   {"show", true, true},
                   {"retry", true, false},
                   {"purge", true, false}};
    for (size_t i = 0; i < ARRAY_LEN(actions); i++) {
        if (!line->argument || strcmp(line->argument, actions[i].name) != 0)
            continue;
        if (actions[i].needs_key && !line->argument2)
            return err_set(err, ERR_CONFIG, "dlq %s needs a key", actions[i].name);
        if (!actions[i].takes_key && line->argument2)
            return err_set(err, ERR_CONFIG, "\"%.60s\" is too much for dlq %s", line->argument2,
                           actions[i].name);
        return true;
    }
    return err_set(err, ERR_CONFIG, "dlq what? list, show KEY, retry [KEY] or purge [KEY]");
}

static bool append_request(const struct command_line *line, struct buf *out, struct err *err)
{
    buf_printf(out, "{\"command\":\"dlq\",\"action\":\"%s\"", line->argument);
    if (line->argument2) {
        buf_append_str(out, ",\"key\":");
        if (!json_append_string(out, slice_str(line->argument2)))
            return err_set(err, ERR_CONFIG, "the key is no UTF-8");
    }
    buf_append_char(out, '}');
    return true;
}

enum exit_code cmd_dlq(const struct command_line *line)
{
    struct session s = {0};
    struct err err = {0};
    struct buf request = {0}, result = {0};
    struct view v = {.json = line->values[OPT_JSON] != NULL, .doc = json_doc_new()};
    enum exit_code code = EXIT_DONE;
    const bool fine = check_words(line, &err) && append_request(line, &request, &err) &&
                      session_open(&s, line, &err) &&
                      remote_run(&s, buf_slice(&request), on_item, &v, &result, &err);
    session_close(&s);
    if (fine)
        code = finish(&v, line->argument, buf_slice(&result));
    json_doc_free(v.doc);
    buf_free(&request);
    buf_free(&result);
    command_print(&v.out);
    return fine ? code : command_fail(&err);
}
