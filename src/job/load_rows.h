#ifndef JOB_LOAD_ROWS_H
#define JOB_LOAD_ROWS_H

#include "job/load_bulk.h"

/* For the files of a load from Cassandra. */

struct load_rows {
    struct source_scan *scan;
    bool direct; /* nothing that is there has to be looked at, but for its routing */
    bool said_late;
};

/* A page of rows under way. */
struct load_page {
    struct load *l;
    struct arena arena; /* of one attempt */
    struct load_bulk bulk;
    struct load_item **items;
    size_t count, room;
    struct arena keys[2]; /* of those to be tried again */
    struct slice *again;
    size_t again_count;
    int turn; /* which of keys */
    struct load_rest rest;
    struct buf raw;
    int64_t token; /* of the last row */
    uint32_t rows;
    bool direct;   /* its rows are rendered as they are scanned */
    bool troubled; /* something failed that may work later */
    bool failed;
    struct err err;
};

/* load_page.c */
void load_page_open(struct load_page *page, struct load *l);
void load_page_close(struct load_page *page);
/* Forgets its rows, but not what is left to be tried again. */
void load_page_reset(struct load_page *page);
/* Takes a row in; direct: it is rendered at once. */
MUST_USE bool load_page_take(struct load_page *page, struct slice key, const struct change_row *row,
                             bool direct, struct err *err);
/* Sends what was taken in. tried: so many of the keys to be tried again. What fails for a while
 * becomes one of them. */
MUST_USE bool load_page_attempt(struct load_page *page, size_t tried, bool direct, struct err *err);
/* Reads the keys to be tried again anew, until none is left; writes the dead letters. */
MUST_USE bool load_page_finish(struct load_page *page, struct err *err);

#endif
