#include "es/request.h"

#include "base/clock.h"
#include "base/mem.h"

#include <stdlib.h>

enum { DEAD_US = 5000000 };

struct request {
    struct es_client *client;
    size_t host;
    es_answer_fn *done;
    void *ctx;
};

const char *es_timestamp_name(const struct es_client *client)
{
    return client->version.meta_timestamp ? "_timestamp" : client->timestamp_field;
}

const char *es_documents_path(const struct es_client *client)
{
    return client->version.typed ? client->type_path : client->index_path;
}

enum err_code es_status_code(int status)
{
    switch (status) {
    case 401:
    case 403:
        return ERR_AUTH;
    case 404:
        return ERR_NOT_FOUND;
    case 409:
        return ERR_CONFLICT;
    case 413:
        return ERR_TOO_LARGE;
    case 408:
    case 429:
        return ERR_OVERLOADED;
    default:
        return status >= 500 ? ERR_UNAVAILABLE : ERR_REQUEST;
    }
}

void es_error_text(const struct json_node *error, struct buf *out)
{
    if (!error)
        return;
    if (error->type == JSON_STRING) {
        buf_append_slice(out, error->text);
        return;
    }
    const struct json_node *type = json_member(error, "type");
    const struct json_node *reason = json_member(error, "reason");
    const struct json_node *cause = json_path(error, "caused_by.reason");
    if (type)
        buf_append_slice(out, type->text);
    if (reason && reason->type == JSON_STRING) {
        buf_append_str(out, ": ");
        buf_append_slice(out, reason->text);
    }
    if (cause && cause->type == JSON_STRING) {
        buf_append_str(out, ": ");
        buf_append_slice(out, cause->text);
    }
}

/* Hosts take turns; one that failed sits out for a while, unless all do. */
static size_t choose_host(struct es_client *client)
{
    const int64_t now = clock_mono_us();
    size_t host = client->next_host;
    for (size_t tried = 0; tried < client->host_count; tried++) {
        if (client->hosts[host].dead_until_us <= now)
            break;
        host = host + 1 < client->host_count ? host + 1 : 0;
    }
    client->next_host = host + 1 < client->host_count ? host + 1 : 0;
    return host;
}

static const char *remedy(int status)
{
    if (status == 401)
        return "; look at username, password or apiKey";
    if (status == 403)
        return "; the user lacks a privilege";
    return "";
}

static void refuse(const struct request *r, const struct io_http_answer *answer,
                   const struct json_node *json)
{
    struct err err = {0};
    struct buf text = {0};
    es_error_text(json_member(json, "error"), &text);
    if (answer->redirect)
        buf_printf(&text, "it redirects to %s", answer->redirect);
    err_set(&err, es_status_code(answer->status), "elasticsearch %s: %d%s%.*s%s",
            r->client->hosts[r->host].origin.url, answer->status, text.len ? " " : "",
            SLICE_ARG(buf_slice(&text)), remedy(answer->status));
    buf_free(&text);
    r->done(r->ctx, NULL, answer->status, &err);
}

static void on_answer(void *ctx, struct io_http_answer *answer, const struct err *err)
{
    struct request r = *(struct request *)ctx;
    free(ctx);
    struct es_host *host = &r.client->hosts[r.host];
    struct err own = {0};
    if (err) {
        own = *err;
        if (own.code == ERR_CONNECTION || own.code == ERR_TIMEOUT)
            host->dead_until_us = clock_mono_us() + DEAD_US;
        err_context(&own, "elasticsearch %s", host->origin.url);
        r.done(r.ctx, NULL, 0, &own);
        return;
    }
    host->dead_until_us = 0;
    const bool parsed = json_parse(r.client->doc, buf_slice(&answer->body), true, &own);
    if (answer->status >= 300) {
        refuse(&r, answer, parsed ? json_root(r.client->doc) : NULL);
    } else if (!parsed) {
        struct err bad = {0};
        err_set(&bad, ERR_PROTOCOL, "elasticsearch %s answers something that is not JSON: %s",
                host->origin.url, own.text);
        r.done(r.ctx, NULL, answer->status, &bad);
    } else {
        r.done(r.ctx, json_root(r.client->doc), answer->status, NULL);
    }
}

bool es_send(struct es_client *client, const char *method, const char *path, struct buf *body,
             bool ndjson, es_answer_fn *done, void *ctx, struct err *err)
{
    struct request *r = mem_alloc(sizeof *r);
    *r = (struct request){client, choose_host(client), done, ctx};
    struct buf url = {0};
    buf_append_str(&url, client->hosts[r->host].origin.url);
    buf_append_str(&url, path);
    const struct io_http_request request = {
        .method = method,
        .url = buf_cstr(&url),
        .content_type = ndjson ? "application/x-ndjson" : "application/json",
        .body = body,
        .login = &client->login,
    };
    const bool sent = io_http_send(client->http, &request, on_answer, r, err) != NULL;
    buf_free(&url);
    if (!sent) {
        free(r);
        if (body)
            buf_free(body);
    }
    return sent;
}
