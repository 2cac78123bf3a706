#include "app/clients.h"
#include "app/engine_internal.h"

/* Threads that help with a load or a comparison, where there may be more workers than one. */

static void close_cassandra(struct cql_client **client)
{
    cql_client_close(*client, NULL, NULL);
    *client = NULL;
}

static bool open_clients(void *ctx, struct io_loop *loop, struct cql_client **cassandra,
                         struct es_client **elasticsearch, struct err *err)
{
    const struct engine *e = ctx;
    struct cql_options cql = clients_cassandra(e->settings);
    struct es_options es = clients_elasticsearch(e->settings);
    cql.log = es.log = e->log;
    *cassandra = cql_client_new(loop, &cql, err);
    if (!*cassandra)
        return false;
    *elasticsearch = es_client_new(loop, &es, err);
    if (!*elasticsearch)
        close_cassandra(cassandra);
    return *elasticsearch != NULL;
}

struct job_crew *engine_crew(struct engine *e, const struct job_stores *stores, unsigned most)
{
    const unsigned others = (unsigned)e->config->workers - 1;
    const struct job_crew_options options = {
        .hands = others < most ? others : most,
        .stores = stores,
        .clients = open_clients,
        .ctx = e,
    };
    return options.hands > 0 ? job_crew_new(&options) : NULL;
}
