#ifndef APP_CLIENTS_H
#define APP_CLIENTS_H

#include "app/config.h"
#include "cql/client.h"
#include "es/client.h"

#include <stdbool.h>

/* The servers of a pipeline as its configuration describes them, in the words of their clients.
 * Borrowed from it; watch, log and beside are left to the caller. */
struct cql_options clients_cassandra(const struct config_pipeline *pipeline);
struct es_options clients_elasticsearch(const struct config_pipeline *pipeline);

/* Whether connections to Cassandra that one pipeline opens serve the other as well. */
bool clients_share_cassandra(const struct config_pipeline *a, const struct config_pipeline *b);

#endif
