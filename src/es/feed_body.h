#ifndef ES_FEED_BODY_H
#define ES_FEED_BODY_H

#include "es/request.h"

/* For es/feed.c only: where a feed stands, and the requests that follow from it. */

/* How long the server keeps a view between two pages. */
#define ES_FEED_KEEP_ALIVE "5m"

struct es_feed_state {
    struct es_feed_options options;
    uint32_t page_size;
    struct buf context; /* id of the point in time or scroll */
    struct buf after;   /* sort values of the last hit, as JSON */
    bool bare;          /* hits come without their _source */
};

/* Takes over the id of a context that was just opened. */
MUST_USE bool es_feed_keep_context(struct es_feed_state *state, const struct json_node *json,
                                   bool elasticsearch);
/* The same behind a page. Ids may change from page to page: the latest counts. */
MUST_USE bool es_feed_keep_position(struct es_feed_state *state, const struct json_node *json,
                                    const struct json_node *hits, bool scroll);

/* Each appends a body; those that return one return the path, too. */
void es_feed_search_body(const struct es_feed_state *state, const struct es_client *client,
                         bool scroll, struct buf *body);
void es_feed_context_body(const struct es_feed_state *state, const struct es_client *client,
                          struct buf *body);
const char *es_feed_scroll_body(const struct es_feed_state *state, const struct es_client *client,
                                struct buf *body);
const char *es_feed_discard_body(const struct es_feed_state *state, const struct es_client *client,
                                 struct buf *body);

#endif
