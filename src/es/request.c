#include "es/request.h"

#include "base/clock.h"
#include "base/mem.h"
#include "es/answer.h"

#include <stdlib.h>
#include <string.h>

enum { DEAD_MIN_US = 1000000, DEAD_MAX_US = 30000000, SHOWN_MAX = 120 };

struct request {
    struct es_client *client;
    size_t host;
    size_t tried; /* hosts */
    const char *method;
    char *path;
    enum es_operation operation;
    int64_t started_us;
    struct buf url;
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

/* A bound of the version field. A number in a range on a date field is milliseconds to some servers
 * (9.x) whatever the field's format says; text is read as the documents' values are. `_timestamp`
 * is milliseconds and has a format in which text such as "2015" would be a year. */
static void append_bound(const struct es_client *client, struct buf *body, const char *name,
                         int64_t value)
{
    const char *quote = client->version.meta_timestamp ? "" : "\"";
    buf_printf(body, "\"%s\":%s%lld%s", name, quote, (long long)value, quote);
}

static void begin_range(const struct es_client *client, struct buf *body)
{
    buf_append_str(body, "{\"range\":{");
    if (!json_append_string(body, slice_str(es_timestamp_name(client))))
        buf_append_str(body, "\"\"");
    buf_append_str(body, ":{");
}

void es_append_range(const struct es_client *client, struct buf *body, int64_t since, int64_t until)
{
    begin_range(client, body);
    append_bound(client, body, "gte", since > 0 ? since : 0);
    if (until > 0) {
        buf_append_char(body, ',');
        append_bound(client, body, "lte", until);
    }
    buf_append_str(body, "}}}");
}

void es_append_below(const struct es_client *client, struct buf *body, int64_t below)
{
    begin_range(client, body);
    append_bound(client, body, "lt", below);
    buf_append_str(body, "}}}");
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

/* No name of an index begins with _: the first such part of a path names the API. */
static enum es_operation operation_of(const char *path)
{
    static const struct {
        const char *api;
        enum es_operation operation;
    } known[] = {
        {"/_bulk", ES_OPERATION_BULK},       {"/_search", ES_OPERATION_SEARCH},
        {"/_pit", ES_OPERATION_SEARCH},      {"/_mget", ES_OPERATION_GET},
        {"/_refresh", ES_OPERATION_REFRESH},
    };
    const char *api = strstr(path, "/_");
    for (size_t i = 0; api && i < ARRAY_LEN(known); i++) {
        if (strncmp(api, known[i].api, strlen(known[i].api)) == 0)
            return known[i].operation;
    }
    return ES_OPERATION_OTHER;
}

static void finish(const struct request *r, uint64_t took_us, const struct json_node *json,
                   int status, const struct err *err)
{
    const struct es_watch *watch = &r->client->watch;
    if (watch->ended)
        watch->ended(watch->ctx, r->operation, took_us, err);
    r->done(r->ctx, json, status, err);
}

static void set_aside(const struct es_client *client, size_t number, const char *why)
{
    struct es_host *host = &client->hosts[number];
    int64_t dead_us = DEAD_MIN_US;
    for (unsigned i = 0; i < host->failures && dead_us < DEAD_MAX_US; i++)
        dead_us *= 2;
    if (host->failures++ == 0 && client->host_count > 1)
        log_warning(client->log, "elasticsearch %s is set aside: %s", host->origin.url, why);
    host->dead_until_us = clock_mono_us() + (dead_us < DEAD_MAX_US ? dead_us : DEAD_MAX_US);
}

static void take_back(const struct es_client *client, size_t number)
{
    struct es_host *host = &client->hosts[number];
    if (host->failures > 0 && client->host_count > 1)
        log_info(client->log, "elasticsearch %s answers again", host->origin.url);
    host->failures = 0;
    host->dead_until_us = 0;
}

static void free_request(struct request *r)
{
    free(r->path);
    buf_free(&r->url);
    free(r);
}

static const char *url_of(struct request *r)
{
    buf_clear(&r->url);
    buf_append_str(&r->url, r->client->hosts[r->host].origin.url);
    buf_append_str(&r->url, r->path);
    return buf_cstr(&r->url);
}

static const char *on_elsewhere(void *ctx, const struct err *err)
{
    struct request *r = ctx;
    set_aside(r->client, r->host, err->text);
    if (++r->tried >= r->client->host_count)
        return NULL;
    r->host = choose_host(r->client);
    return url_of(r);
}

/* The server, or what stands before it, is not ready: the others may be. */
static bool is_away(int status)
{
    return status >= 502 && status <= 504;
}

static const char *remedy(const struct request *r, enum err_code code, int status)
{
    if (code != ERR_AUTH)
        return "";
    if (r->client->login.aws.access_key) /* AWS says 403 to everything */
        return "; look at aws (credentials, region, service) and at the domain's access policy";
    return status == 401 ? "; look at username, password or apiKey"
                         : "; the user lacks a privilege";
}

/* Of gateways in front of the server: {"message":"…"}. */
static const struct json_node *message(const struct json_node *json)
{
    const struct json_node *text = json_member(json, "message");
    return text ? text : json_member(json, "Message");
}

static void append_reason(struct buf *text, const struct io_http_answer *answer,
                          const struct json_node *json)
{
    const struct slice body = buf_slice(&answer->body);
    const struct json_node *error = json_member(json, "error");
    if (!error)
        error = message(json);
    if (answer->redirect)
        buf_printf(text, " it redirects to %s", answer->redirect);
    else if (error)
        buf_append_char(text, ' ');
    else if (!json && body.len > 0) /* a proxy's page, most likely */
        buf_printf(text, " not in JSON: %.*s", (int)(body.len < SHOWN_MAX ? body.len : SHOWN_MAX),
                   body.ptr);
    es_error_text(error, text);
}

static void refuse(const struct request *r, const struct io_http_answer *answer,
                   const struct json_node *json)
{
    const enum err_code code = es_status_code(answer->status, json_member(json, "error"));
    struct err err = {0};
    struct buf text = {0};
    append_reason(&text, answer, json);
    err_set(&err, code, "elasticsearch %s: %d%.*s%s", r->client->hosts[r->host].origin.url,
            answer->status, SLICE_ARG(buf_slice(&text)), remedy(r, code, answer->status));
    buf_free(&text);
    finish(r, answer->took_us, NULL, answer->status, &err);
}

void es_blame(const struct es_client *client, struct err *err)
{
    err_context(err, "elasticsearch %s", client->hosts[client->answered].origin.url);
}

static void take_answer(const struct request *r, const struct io_http_answer *answer)
{
    const char *url = r->client->hosts[r->host].origin.url;
    struct err err = {0};
    r->client->answered = r->host;
    const bool parsed = json_parse(r->client->doc, buf_slice(&answer->body), true, &err);
    log_debug(r->client->log, "%s %s%s: %d, %zu bytes, %llu ms", r->method, url, r->path,
              answer->status, answer->body.len, (unsigned long long)answer->took_us / 1000);
    if (answer->status < 200 || answer->status >= 300) {
        refuse(r, answer, parsed ? json_root(r->client->doc) : NULL);
    } else if (!parsed) {
        err_context(&err, "elasticsearch %s answers something that can't be read", url);
        if (err.code != ERR_TOO_LARGE)
            err.code = ERR_PROTOCOL;
        finish(r, answer->took_us, NULL, answer->status, &err);
    } else {
        finish(r, answer->took_us, json_root(r->client->doc), answer->status, NULL);
    }
}

static void on_answer(void *ctx, struct io_http_answer *answer, const struct err *err)
{
    struct request *r = ctx;
    if (answer) {
        if (is_away(answer->status))
            set_aside(r->client, r->host, "it is not ready");
        else
            take_back(r->client, r->host);
        take_answer(r, answer);
    } else {
        struct err own = *err;
        if ((own.code == ERR_CONNECTION && r->tried < r->client->host_count) ||
            own.code == ERR_TIMEOUT)
            set_aside(r->client, r->host, own.text);
        err_context(&own, "elasticsearch %s", r->client->hosts[r->host].origin.url);
        log_debug(r->client->log, "%s %s: %s", r->method, r->path, own.text);
        finish(r, (uint64_t)(clock_mono_us() - r->started_us), NULL, 0, &own);
    }
    free_request(r);
}

bool es_send(struct es_client *client, const char *method, const char *path, struct buf *body,
             enum es_sending sending, es_answer_fn *done, void *ctx, struct err *err)
{
    struct request *r = mem_alloc(sizeof *r);
    *r = (struct request){.client = client,
                          .host = choose_host(client),
                          .method = method,
                          .path = mem_strdup(path),
                          .operation = operation_of(path),
                          .started_us = clock_mono_us(),
                          .done = done,
                          .ctx = ctx};
    const struct io_http_request request = {
        .method = method,
        .url = url_of(r),
        .content_type = sending == ES_BULK ? "application/x-ndjson" : "application/json",
        .body = body,
        .plain = !client->version.takes_gzip,
        .once = sending != ES_JSON,
        .login = &client->login,
        .elsewhere = on_elsewhere,
    };
    const bool sent = io_http_send(client->http, &request, on_answer, r, err) != NULL;
    if (!sent) {
        free_request(r);
        if (body)
            buf_free(body);
    } else if (client->watch.begun) {
        client->watch.begun(client->watch.ctx, operation_of(path));
    }
    return sent;
}
