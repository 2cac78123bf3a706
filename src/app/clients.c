#include "app/clients.h"

struct cql_options clients_cassandra(const struct config_pipeline *pipeline)
{
    const struct config_cassandra *c = &pipeline->cassandra;
    return (struct cql_options){
        .contact_points = c->contact_points.items,
        .contact_point_count = c->contact_points.count,
        .port = (uint16_t)c->port,
        .username = c->username,
        .password = c->password,
        .local_datacenter = c->local_datacenter,
        .protocol_version = (int)c->protocol_version,
        .compression = c->compression,
        .tls = {.enabled = c->tls_enabled,
                .ca = c->tls.ca,
                .cert = c->tls.cert,
                .key = c->tls.key,
                .server_name = c->tls_server_name,
                .no_verify = !c->tls.verify},
        .connect_timeout_ms = (uint64_t)c->connect_timeout,
        .request_timeout_ms = (uint64_t)c->request_timeout,
    };
}

static bool same_points(const struct cql_options *a, const struct cql_options *b)
{
    bool same = a->contact_point_count == b->contact_point_count;
    for (size_t i = 0; same && i < a->contact_point_count; i++)
        same = slice_same_text(a->contact_points[i], b->contact_points[i]);
    return same;
}

static bool same_tls(const struct cql_tls_options *a, const struct cql_tls_options *b)
{
    return a->enabled == b->enabled && slice_same_text(a->ca, b->ca) &&
           slice_same_text(a->cert, b->cert) && slice_same_text(a->key, b->key) &&
           slice_same_text(a->server_name, b->server_name) && a->no_verify == b->no_verify;
}

/* All of clients_cassandra but request_timeout_ms, which is each request's own. */
bool clients_share_cassandra(const struct config_pipeline *a, const struct config_pipeline *b)
{
    const struct cql_options x = clients_cassandra(a), y = clients_cassandra(b);
    return same_points(&x, &y) && x.port == y.port && slice_same_text(x.username, y.username) &&
           slice_same_text(x.password, y.password) &&
           slice_same_text(x.local_datacenter, y.local_datacenter) &&
           x.protocol_version == y.protocol_version && x.compression == y.compression &&
           same_tls(&x.tls, &y.tls) && x.connect_timeout_ms == y.connect_timeout_ms;
}

struct es_options clients_elasticsearch(const struct config_pipeline *pipeline)
{
    const struct config_elasticsearch *c = &pipeline->es;
    return (struct es_options){
        .hosts = c->hosts.items,
        .host_count = c->hosts.count,
        .username = c->username,
        .password = c->password,
        .api_key = c->api_key,
        .aws = {.region = c->aws.region,
                .service = c->aws.service == CONFIG_AWS_AOSS ? "aoss" : "es",
                .access_key = c->aws.access_key,
                .secret_key = c->aws.secret_key,
                .session_token = c->aws.session_token},
        .tls = {.ca = c->tls.ca,
                .cert = c->tls.cert,
                .key = c->tls.key,
                .no_verify = !c->tls.verify},
        .index = c->index,
        .type = c->type,
        .timestamp_field = c->timestamp_field,
        .request_timeout_ms = (uint64_t)c->request_timeout,
    };
}
