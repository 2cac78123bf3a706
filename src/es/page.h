#ifndef ES_PAGE_H
#define ES_PAGE_H

#include "es/client.h"

/* Documents of the index by selection, a request at a time and without a context on the server. */

struct es_page_options {
    int64_t low, high; /* sequence numbers from low up to high; high -1: all, without a look at
                        * them, for servers that have none */
    int64_t below;     /* only documents with a lower version field, or none; 0: all */
    uint32_t size;     /* documents, at most 10,000 */
    bool backwards;    /* from the highest sequence number down */
    bool no_source;
};

/* In the order of sequence numbers, which are one sequence a shard: several documents may have the
 * same. Only for servers with sequence numbers. ERR_TOO_LARGE: fewer may fit into an answer. A
 * document that went away under way is not found. */
MUST_USE bool es_page(struct es_client *client, const struct es_page_options *options,
                      es_documents_fn *done, void *ctx, struct err *err);

/* Appends "query":{…} of a selection; size and the order don't matter. For es_ask. */
void es_append_selection(const struct es_client *client, const struct es_page_options *options,
                         struct buf *body);
/* The same for the documents with a version field from since up to until. */
void es_append_versions(const struct es_client *client, int64_t since, int64_t until,
                        struct buf *body);

/* What a load may change of an index. "": the server's default. */
struct es_settings {
    char uuid[40]; /* only read */
    char refresh_interval[32], replicas[32];
};
typedef void es_settings_fn(void *ctx, const struct es_settings *settings, const struct err *err);
MUST_USE bool es_settings_read(struct es_client *client, es_settings_fn *done, void *ctx,
                               struct err *err);
MUST_USE bool es_settings_write(struct es_client *client, const struct es_settings *settings,
                                es_done_fn *done, void *ctx, struct err *err);

#endif
