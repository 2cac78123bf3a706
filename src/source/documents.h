#ifndef SOURCE_DOCUMENTS_H
#define SOURCE_DOCUMENTS_H

#include "es/client.h"
#include "map/schema.h"
#include "source/source.h"

/* Documents of the index: as signs of change (by the version field), and by key. For tasks. */

/* All arguments are borrowed for its life. deleted_field: SLICE_NULL where there is none. */
MUST_USE struct source *source_documents_new(struct es_client *client,
                                             const struct map_schema *schema,
                                             struct slice deleted_field);

/* Refreshes the index, for the window that is opened next: where the servers can tell how far the
 * index is settled (history.h), that window leaves out what one before it has given. */
MUST_USE bool source_documents_refresh(struct source *source, struct err *err);

/* Reads documents by key, in order, into out[count]; content lives in arena. */
MUST_USE bool source_documents_read(struct es_client *client, const struct map_schema *schema,
                                    struct slice deleted_field, const struct slice *keys,
                                    size_t count, struct change_document *out, struct arena *arena,
                                    struct err *err);

/* One as a client gives it. */
void source_documents_take(const struct map_schema *schema, struct slice deleted_field,
                           const struct es_document *from, struct arena *arena,
                           struct change_document *to);

/* Whether the deleted field (null: there is none) marks a document as deleted. */
bool source_documents_marked(const struct json_node *source, struct slice deleted_field);

#endif
