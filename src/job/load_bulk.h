#ifndef JOB_LOAD_BULK_H
#define JOB_LOAD_BULK_H

#include "job/load_internal.h"

/* For load_rows.c: rows as a _bulk under external versions. */

enum load_outcome {
    LOAD_OPEN,    /* not sent, or it may work later: to be decided anew */
    LOAD_DONE,    /* copied, equal, or Elasticsearch has something newer */
    LOAD_REFUSED, /* by the server, or it can't be a document */
};

struct load_item {
    struct change_key key; /* cells only where they are needed */
    int64_t version;
    const struct slice *cells; /* of the row; NULL: rendered already */
    int32_t ttl;
    enum load_outcome outcome;
    const char *rule, *reason; /* of a refusal */
};

struct load_bulk {
    struct load *l;
    struct arena *arena; /* of reasons */
    struct slice timestamp_field;
    struct buf body, rendered;
    struct load_item **sent; /* an action each */
    size_t count, room;
    struct json_doc *present;
    bool too_large;  /* the last one was: less at once */
    bool late;       /* its rows had waited for so long that it was not sent */
    int64_t read_us; /* when its rows were asked for, of the monotonic clock */
    bool entered;    /* has its turn already */
    struct job_flow_turn turn;
};

void load_bulk_open(struct load_bulk *bulk, struct load *l, struct arena *arena);
void load_bulk_close(struct load_bulk *bulk);
void load_bulk_reset(struct load_bulk *bulk);
/* Renders the item with these cells; of the document that is there (NULL: none) other fields stay.
 * gte: the same version may be replaced. An item that can't be a document is refused. */
void load_bulk_add(struct load_bulk *bulk, struct load_item *item, const struct slice *cells,
                   const struct change_document *present, bool gte);
/* A place among what Elasticsearch is given at once, before the rows are read: what is read then
 * does not wait. Left by load_bulk_leave. */
void load_bulk_enter(struct load_bulk *bulk);
void load_bulk_leave(struct load_bulk *bulk);
/* Sends it and empties it; each item gets its outcome: none where rows had to wait for so long that
 * a delete meanwhile would have been looked at for the last time. False: nothing works any more. */
MUST_USE bool load_bulk_send(struct load_bulk *bulk, struct err *err);
/* The same for items whose documents have to be looked at first: what is equal or newer there is
 * left alone, fields that no column takes stay. */
MUST_USE bool load_bulk_merge(struct load_bulk *bulk, struct load_item **items, size_t count,
                              struct err *err);

#endif
