#ifndef SINK_DOCUMENTS_H
#define SINK_DOCUMENTS_H

#include "es/client.h"
#include "map/schema.h"
#include "sink/sink.h"

struct sink_documents_options {
    const struct map_schema *schema; /* borrowed */
    struct slice timestamp_field;    /* set in every document; null where the server has its own */
    size_t body_bytes;               /* a bulk is sent at this size; 0: 4 MiB. Less where the server
                                      * (or a proxy) refuses that as too large */
    uint32_t body_items;             /* or at this number; 0: 1000 */
    unsigned in_flight;              /* bulks; 0: 4 */
};

/* Writes into Elasticsearch by bulks under the external version. */
MUST_USE struct sink *sink_documents_new(struct es_client *client,
                                         const struct sink_documents_options *options);

#endif
