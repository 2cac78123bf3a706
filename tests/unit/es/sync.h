#ifndef UNIT_ES_SYNC_H
#define UNIT_ES_SYNC_H

#include "es/client.h"

/* The client's calls, waited for: each runs the loop until the callback came and fails the test
 * when it comes twice or at once. Results are copies until the next call. */

struct sync_item {
    int status;
    enum err_code code;
    char reason[ERR_TEXT_MAX + 1];
};

struct sync_document {
    char id[600];
    bool found;
    int64_t version, seq_no, primary_term;
    char source[512]; /* raw, "" for none */
};

struct sync {
    struct io_loop *loop;
    struct es_client *client;
    struct err err;    /* of the last call; ERR_NONE when it went well */
    unsigned expected; /* callbacks that may come */
    bool inside;       /* the call itself is running: no callback yet */
    struct sync_item *items;
    struct sync_document *documents;
    size_t count;
    struct es_feed *feed;
    bool found;
    int64_t value;
    struct buf json;
};

/* A client of url (or several, separated by blanks) and index; not connected yet. options may be
 * NULL; its hosts and index are ignored. */
void sync_open(struct sync *s, const char *url, const char *index,
               const struct es_options *options);
/* On a loop that is there already; it ends with sync_close. */
void sync_open_on(struct sync *s, struct io_loop *loop, const char *url, const char *index,
                  const struct es_options *options);
void sync_close(struct sync *s);

/* All return whether it went well; else see err. */
bool sync_connect(struct sync *s);
bool sync_refresh(struct sync *s);
bool sync_create(struct sync *s, const char *mapping);
bool sync_mapping(struct sync *s);
bool sync_max(struct sync *s);
bool sync_bulk(struct sync *s, struct buf *body, size_t count);
bool sync_mget(struct sync *s, const char *const *ids, size_t count);
bool sync_feed_open(struct sync *s, const struct es_feed_options *options);
bool sync_feed_next(struct sync *s);
void sync_feed_close(struct sync *s);

/* Deletes the index, by a request of es/'s own; missing is fine. */
void sync_delete_index(struct sync *s);

#endif
