#ifndef JOB_VERIFY_INTERNAL_H
#define JOB_VERIFY_INTERNAL_H

#include "job/pace.h"
#include "job/sorter.h"
#include "job/verify.h"

/* For the files of verify only. */

struct verify {
    const struct job_verify *o;
    struct job_verify_report *report;
    struct job_pace pace;
    int64_t started_us; /* wall clock, before anything was read */
    bool same_stores;   /* as those of o->synced */
    struct job_sorter *documents;
    struct job_sorter *entries;
    struct job_sorter *doubts; /* see struct doubt */
    struct verify_rows *rows;  /* being read; or NULL */
    const char *phase;
    double share; /* of the phase, 0: unknown */
    struct buf text;
};

/* A document in the sorter: version, hash of its content, and these. */
enum { VERIFY_DELETED = 1, VERIFY_UNREADABLE = 2 };

/* A key that has to be looked at (again), and what was seen of it before. */
struct doubt {
    int64_t token;
    struct slice key;
    bool looked; /* both sides have been read once */
    bool had_document, had_row;
    int64_t document_version;
    int64_t entry_version; /* the row's highest entry when verify began; 0: none */
    int64_t write_time;    /* of the row; CHANGE_NO_WRITE_TIME: not known */
};
MUST_USE bool verify_doubt(struct job_sorter *to, const struct doubt *doubt, struct err *err);
struct doubt verify_doubt_of(const struct job_sorted *record);

/* verify_read.c: documents, entries, or samples of either side, into the sorters. */
MUST_USE bool verify_read_documents(struct verify *v, struct err *err);
MUST_USE bool verify_read_entries(struct verify *v, int64_t since, bool doubts, struct err *err);
MUST_USE bool verify_sample(struct verify *v, struct err *err);
/* verify_merge.c: gives doubts that nobody has looked at the entries of their keys; */
MUST_USE bool verify_join_entries(struct verify *v, struct err *err);
/* begins to read rows ahead, as far as the memory allows; */
MUST_USE bool verify_rows_open(struct verify *v, struct err *err);
/* false: they could not be read; */
MUST_USE bool verify_rows_fine(const struct verify *v, struct err *err);
void verify_rows_close(struct verify *v);
/* walks through them and compares; what differs becomes a doubt. */
MUST_USE bool verify_merge(struct verify *v, struct err *err);
/* verify_settle.c: looks at the doubts until each is settled. count: what is equal counts as
 * compared here (it was not before). */
MUST_USE bool verify_settle(struct verify *v, bool count, struct err *err);

/* A difference that counts. */
void verify_found(struct verify *v, const struct job_difference *difference);
/* After count records of one side: waits for the rate, tells how far it is. False: stopped. */
MUST_USE bool verify_goes_on(struct verify *v, int64_t count, struct err *err);

/* The token of a key's text; false: it is no key of the table (err says why). */
MUST_USE bool verify_token(const struct map_schema *schema, struct slice key, struct arena *arena,
                           struct slice *cells, int64_t *token, struct err *err);

#endif
