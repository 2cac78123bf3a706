#ifndef SOURCE_INDEX_H
#define SOURCE_INDEX_H

#include "base/arena.h"
#include "es/page.h"
#include "source/documents.h"

/* The index as a whole, for a load. For tasks. */

struct source_index_page {
    struct slice *ids;
    struct change_document *documents;
    size_t count;
    int64_t seq_no; /* of the last one; they are in this order */
    size_t bytes;   /* of what was read, about */
};
/* Content lives in arena. */
MUST_USE bool source_index_page(struct es_client *client, const struct map_schema *schema,
                                struct slice deleted_field, const struct es_page_options *options,
                                struct source_index_page *page, struct arena *arena,
                                struct err *err);

/* The documents with a version field from since up to until, page by page. End it with
 * es_feed_close. */
struct es_feed;
MUST_USE struct es_feed *source_index_feed(struct es_client *client, int64_t since, int64_t until,
                                           uint32_t page_size, struct err *err);
/* count 0: that was the end. */
MUST_USE bool source_index_feed_next(struct es_feed *feed, const struct map_schema *schema,
                                     struct slice deleted_field, struct source_index_page *page,
                                     struct arena *arena, struct err *err);

/* Of documents, -1: there are none. */
MUST_USE bool source_index_highest_seq_no(struct es_client *client, int64_t *seq_no,
                                          struct err *err);
MUST_USE bool source_index_count(struct es_client *client, const struct es_page_options *options,
                                 int64_t *count, struct err *err);
MUST_USE bool source_index_count_versions(struct es_client *client, int64_t since, int64_t until,
                                          int64_t *count, struct err *err);

/* versions[i]: of ids[i], 0: no such document. */
MUST_USE bool source_index_versions(struct es_client *client, const struct slice *ids, size_t count,
                                    int64_t *versions, struct err *err);

MUST_USE bool source_index_settings(struct es_client *client, struct es_settings *settings,
                                    struct err *err);
MUST_USE bool source_index_change_settings(struct es_client *client,
                                           const struct es_settings *settings, struct err *err);

#endif
