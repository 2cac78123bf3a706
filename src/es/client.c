#include "es/client.h"

#include "base/mem.h"
#include "es/request.h"

#include <stdlib.h>

enum { GZIP_ABOVE = 16 * 1024, ANSWER_MAX = 256 << 20 };

static bool add_hosts(struct es_client *client, const struct es_options *options, struct err *err)
{
    client->hosts = mem_array(options->host_count + 1, sizeof *client->hosts);
    for (size_t i = 0; i < options->host_count; i++) {
        struct io_http_origin *origin = &client->hosts[i].origin;
        if (!io_http_origin_parse(options->hosts[i], "9200", origin, err))
            return false;
        client->host_count++;
        if (origin->username && !client->login.username) {
            client->login.username = mem_strdup(origin->username);
            client->login.password = mem_strdup(origin->password ? origin->password : "");
        }
    }
    return client->host_count > 0 || err_set(err, ERR_CONFIG, "no Elasticsearch host is given");
}

static char *keep(const char *text)
{
    return text ? mem_strdup(text) : NULL;
}

static void copy_options(struct es_client *client, const struct es_options *options)
{
    client->login =
        (struct io_http_login){.username = keep(options->username),
                               .password = keep(options->password),
                               .api_key = keep(options->api_key),
                               .aws = {.region = keep(options->aws.region),
                                       .service = keep(options->aws.service),
                                       .access_key = keep(options->aws.access_key),
                                       .secret_key = keep(options->aws.secret_key),
                                       .session_token = keep(options->aws.session_token)}};
    client->type = mem_strdup(options->type ? options->type : "doc");
    client->timestamp_field =
        mem_strdup(options->timestamp_field ? options->timestamp_field : "timestamp");
    struct buf path = {0};
    buf_append_char(&path, '/');
    io_http_escape(&path, slice_str(options->index));
    client->index_path = mem_strdup(buf_cstr(&path));
    buf_append_char(&path, '/');
    io_http_escape(&path, slice_str(client->type));
    client->type_path = mem_strdup(buf_cstr(&path));
    buf_free(&path);
}

static void free_login(struct io_http_login *login)
{
    const char *const texts[] = {
        login->username,    login->password,       login->api_key,        login->aws.region,
        login->aws.service, login->aws.access_key, login->aws.secret_key, login->aws.session_token};
    for (size_t i = 0; i < ARRAY_LEN(texts); i++)
        free((char *)texts[i]);
}

static void free_client(struct es_client *client)
{
    for (size_t i = 0; i < client->host_count; i++)
        io_http_origin_free(&client->hosts[i].origin);
    free(client->hosts);
    free_login(&client->login);
    free(client->index_path);
    free(client->type_path);
    free(client->type);
    free(client->timestamp_field);
    json_doc_free(client->doc);
    free(client);
}

struct es_client *es_client_new(struct io_loop *loop, const struct es_options *options,
                                struct err *err)
{
    const struct io_http_options http = {
        .connections = options->connections,
        .connect_timeout_ms = options->connect_timeout_ms,
        .total_timeout_ms = options->request_timeout_ms,
        .gzip_above = options->compression ? GZIP_ABOVE : 0,
        .accept_gzip = options->compression,
        .answer_max = options->answer_max ? options->answer_max : ANSWER_MAX,
        .tls = {.ca = options->tls.ca,
                .cert = options->tls.cert,
                .key = options->tls.key,
                .no_verify = options->tls.no_verify},
        .beside = options->beside ? options->beside->http : NULL,
    };
    struct es_client *client = mem_zalloc(sizeof *client);
    client->loop = loop;
    client->log = options->log;
    client->watch = options->watch;
    client->doc = json_doc_new();
    copy_options(client, options);
    if (add_hosts(client, options, err))
        client->http = io_http_new(loop, &http, err);
    if (client->http)
        return client;
    free_client(client);
    return NULL;
}

static void on_closed(void *ctx)
{
    struct es_client *client = ctx;
    void (*closed)(void *) = client->closed;
    void *closed_ctx = client->closed_ctx;
    free_client(client);
    if (closed)
        closed(closed_ctx);
}

void es_client_close(struct es_client *client, void (*closed)(void *ctx), void *ctx)
{
    client->closed = closed;
    client->closed_ctx = ctx;
    io_http_close(client->http, on_closed, client);
}

const struct es_version *es_client_version(const struct es_client *client)
{
    return &client->version;
}

/* Every host is asked in turn until one answers. */
struct connecting {
    struct es_client *client;
    size_t left; /* hosts to try */
    es_done_fn *done;
    void *ctx;
};

static void finish(struct connecting *c, const struct err *err)
{
    c->done(c->ctx, err);
    free(c);
}

static void take_version(struct connecting *c, const struct json_node *distribution,
                         const struct json_node *number)
{
    struct err err = {0};
    if (es_version_parse(distribution ? distribution->text : SLICE_NULL,
                         number ? number->text : SLICE_LIT(""), &c->client->version, &err)) {
        finish(c, NULL);
        return;
    }
    es_blame(c->client, &err);
    finish(c, &err);
}

static void on_nodes(void *ctx, const struct json_node *json, int status UNUSED,
                     const struct err *err)
{
    if (err) {
        struct err own = *err;
        err_context(&own, "can't find out the server's version");
        finish(ctx, &own);
        return;
    }
    const struct json_node *nodes = json_member(json, "nodes");
    const struct json_node *node = nodes && nodes->type == JSON_OBJECT ? json_first(nodes) : NULL;
    take_version(ctx, NULL, json_member(node, "version"));
}

static void on_root(void *ctx, const struct json_node *json, int status, const struct err *err)
{
    struct connecting *c = ctx;
    const struct json_node *number = json_path(json, "version.number");
    if (number) {
        take_version(c, json_path(json, "version.distribution"), number);
        return;
    }
    struct err own = {0};
    if (err)
        own = *err;
    else
        err_set(&own, ERR_PROTOCOL,
                "elasticsearch: the server at this address is no Elasticsearch");
    /* What could not be reached was tried at the other hosts already. */
    const bool no_answer = status == 0 && own.code != ERR_CANCELLED && own.code != ERR_CONNECTION;
    if (no_answer && --c->left > 0 &&
        es_send(c->client, "GET", "/", NULL, ES_JSON, on_root, c, &own))
        return;
    /* Some distributions of the server don't have the page at the root. */
    if ((status == 405 || status == 404 || status == 400) &&
        es_send(c->client, "GET", "/_nodes/_local?filter_path=nodes.*.version", NULL, ES_JSON,
                on_nodes, c, &own))
        return;
    finish(c, &own);
}

bool es_connect(struct es_client *client, es_done_fn *done, void *ctx, struct err *err)
{
    struct connecting *c = mem_alloc(sizeof *c);
    *c = (struct connecting){client, client->host_count, done, ctx};
    if (es_send(client, "GET", "/", NULL, ES_JSON, on_root, c, err))
        return true;
    free(c);
    return false;
}
