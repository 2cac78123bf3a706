#ifndef JOB_LOAD_DOCUMENTS_H
#define JOB_LOAD_DOCUMENTS_H

#include "job/load_guard.h"
#include "job/load_internal.h"
#include "sink/rows_bulk.h"

/* For load_documents.c and load_insert.c: documents as rows. */

struct load_documents {
    struct load_guard *guard;
    struct sink_rows_bulk *bulk;
    struct sink *rows;    /* instead, where more than the row has to be written */
    struct sink *deletes; /* beside bulk, where documents can be marked as deleted */
    struct source_scan *keys;
    uint32_t key_parts;
};

struct load_document {
    struct change_key key;
    const struct change_document *document;
    struct change_row row;
    uint64_t hash;
    bool open;    /* not settled yet */
    bool present; /* row has been read, it may be missing */
    bool writes;
    unsigned unknown; /* writes of it that may, or may yet, have taken effect, all or in part */
    struct sink_write write;
};

/* load_decide.c: settles the item, or prepares its write. For one whose row is missing, or
 * certainly was not there, or has been read. */
MUST_USE bool load_decide(struct load *l, struct load_document *item, struct load_rest *rest,
                          struct err *err);
/* To the dead letters. */
void load_bury(struct load *l, struct load_rest *rest, struct load_document *item, const char *rule,
               const char *reason);

/* load_insert.c: brings documents (one a key) to Cassandra, until each is settled. Content lives as
 * long as arena. */
MUST_USE bool load_insert(struct load *l, struct load_document *items, size_t count,
                          struct arena *arena, struct load_rest *rest, struct err *err);

#endif
