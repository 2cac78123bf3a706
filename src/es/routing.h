#ifndef ES_ROUTING_H
#define ES_ROUTING_H

#include "es/client.h"

/* For the files of es/ only: documents that an application wrote with a routing of its own. Their
 * shard does not follow from their _id, so a read by id looks for them in the wrong place. */

/* routings[count], borrowed for the call; NULL when err is set. */
typedef void es_located_fn(void *ctx, const struct slice *routings, const struct err *err);
/* Which routing the documents of count > 0 ids have, by a search of all shards: as of the last
 * refresh. Null: none, or no document. Of several documents of one _id the one with the highest
 * version counts. ids are borrowed until done is called. */
MUST_USE bool es_locate(struct es_client *client, const struct slice *ids, size_t count,
                        es_located_fn *done, void *ctx, struct err *err);

/* To be told of whatever was read: one with a routing means that there may be others. */
void es_notice_routing(struct es_client *client, const struct es_document *documents, size_t count);

#endif
