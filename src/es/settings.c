#include "es/answer.h"
#include "es/page.h"
#include "es/request.h"

#include "base/mem.h"

#include <stdio.h>
#include <stdlib.h>

struct call {
    es_settings_fn *settings;
    es_done_fn *done;
    void *ctx;
};

static void copy_setting(const struct json_node *settings, const char *name, char *out, size_t size)
{
    const struct json_node *n = NULL;
    for (const struct json_node *m = json_first(settings); m; m = json_next(settings, m)) {
        if (slice_is(m->key, name))
            n = m;
    }
    if (n && (n->type == JSON_STRING || n->type == JSON_NUMBER))
        snprintf(out, size, "%.*s", SLICE_ARG(n->text));
}

static void on_settings(void *ctx, const struct json_node *json, int status UNUSED,
                        const struct err *err)
{
    const struct call call = *(struct call *)ctx;
    struct es_settings settings = {.uuid = ""};
    struct err bad = {0};
    free(ctx);
    if (err) {
        call.settings(call.ctx, NULL, err);
        return;
    }
    const struct json_node *index = json->type == JSON_OBJECT ? json_first(json) : NULL;
    const struct json_node *values = json_member(index, "settings");
    if (!values || values->type != JSON_OBJECT || json->children != 1) {
        err_set(&bad, ERR_SCHEMA, "elasticsearch: the index's name does not stand for one index");
        call.settings(call.ctx, NULL, &bad);
        return;
    }
    copy_setting(values, "index.uuid", settings.uuid, sizeof settings.uuid);
    copy_setting(values, "index.refresh_interval", settings.refresh_interval,
                 sizeof settings.refresh_interval);
    copy_setting(values, "index.number_of_replicas", settings.replicas, sizeof settings.replicas);
    call.settings(call.ctx, &settings, NULL);
}

static bool start(struct es_client *client, struct call from, const char *method, const char *end,
                  struct buf *body, es_answer_fn *on_answer, struct err *err)
{
    struct call *call = mem_alloc(sizeof *call);
    struct buf path = {0};
    *call = from;
    buf_append_str(&path, client->index_path);
    buf_append_str(&path, end);
    const bool sent = es_send(client, method, buf_cstr(&path), body, ES_JSON, on_answer, call, err);
    buf_free(&path);
    if (!sent)
        free(call);
    return sent;
}

bool es_settings_read(struct es_client *client, es_settings_fn *done, void *ctx, struct err *err)
{
    return start(client, (struct call){.settings = done, .ctx = ctx}, "GET",
                 "/_settings?flat_settings=true", NULL, on_settings, err);
}

static void on_written(void *ctx, const struct json_node *json UNUSED, int status UNUSED,
                       const struct err *err)
{
    const struct call call = *(struct call *)ctx;
    free(ctx);
    call.done(call.ctx, err);
}

/* Old servers can't be told to forget a setting. */
static void append_setting(const struct es_client *client, struct buf *body, const char *name,
                           const char *value, const char *initial)
{
    buf_printf(body, "%s\"%s\":", body->len > 10 ? "," : "", name);
    if (!*value && client->version.underscore_meta)
        value = initial;
    if (!*value)
        buf_append_str(body, "null");
    else if (!json_append_string(body, slice_str(value)))
        buf_append_str(body, "null");
}

bool es_settings_write(struct es_client *client, const struct es_settings *settings,
                       es_done_fn *done, void *ctx, struct err *err)
{
    struct buf body = {0};
    buf_append_str(&body, "{\"index\":{");
    append_setting(client, &body, "refresh_interval", settings->refresh_interval, "1s");
    append_setting(client, &body, "number_of_replicas", settings->replicas, "1");
    buf_append_str(&body, "}}");
    return start(client, (struct call){.done = done, .ctx = ctx}, "PUT", "/_settings", &body,
                 on_written, err);
}
