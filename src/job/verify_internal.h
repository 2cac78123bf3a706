#ifndef JOB_VERIFY_INTERNAL_H
#define JOB_VERIFY_INTERNAL_H

#include "job/pace.h"
#include "job/sorter.h"
#include "job/verify.h"

/* For the files of verify only. */

enum { VERIFY_PARTS_MAX = 4 }; /* the documents of each go to as many sorters */

struct verify_hand;
struct verify_feeds;

/* Of several threads each has one: it reads documents of any token into a sorter for each part of
 * the tokens, and merges one part. */
struct verify {
    struct verify *home; /* NULL: this is it, the first part */
    struct verify_hand *hands;
    unsigned parts, part;       /* how many there are; that of this thread */
    int64_t low, high;          /* its tokens, above low */
    struct verify_feeds *feeds; /* home's */
    const struct buf *moment;   /* home's: of the documents that all threads read */
    const struct job_verify *o;
    struct job_verify_report *report;
    struct job_pace pace;
    int64_t started_us;                             /* wall clock, before anything was read */
    bool same_stores;                               /* as those of o->synced */
    struct job_sorter *documents[VERIFY_PARTS_MAX]; /* that were read here, of each part */
    struct job_sorter *entries;                     /* of its part */
    struct job_sorter *doubts;                      /* see struct doubt */
    struct verify_rows *rows;                       /* being read; or NULL */
    const char *phase;
    double share; /* of the phase, 0: unknown */
    struct buf text;
    bool failed; /* home's: some thread did */
};

/* A document in the sorter: version, hash of its content, and these. */
enum { VERIFY_DELETED = 1, VERIFY_UNREADABLE = 2, VERIFY_UNPARSABLE = 4 };

/* verify_crew.c: a verify for each hand of the crew, and its part of the tokens; home has the
 * first.
 */
void verify_crew_open(struct verify *v);
void verify_crew_close(struct verify *v);
/* That of a part; 0: home. */
struct verify *verify_of_part(struct verify *v, unsigned part);
/* That has the token. */
unsigned verify_part_of(struct verify *v, int64_t token);
/* Runs work on all threads at once; false: the first that failed tells why, and others are stopped.
 */
typedef bool verify_work_fn(struct verify *v, struct err *err);
MUST_USE bool verify_each(struct verify *v, verify_work_fn *work, struct err *err);
/* Runs fn at home. */
void verify_at_home(struct verify *v, io_task_fn *fn, void *ctx);

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

/* verify_read.c: documents, entries, or samples of either side, into the sorters. Called at
 * home, where all threads shall read the documents. */
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

/* verify.c */
void verify_sorters_open(struct verify *v);
void verify_sorters_close(struct verify *v);
/* verify_crew.c: adds what was counted elsewhere; the doubts of all threads become home's. */
void verify_add_report(struct job_verify_report *to, const struct job_verify_report *r);
MUST_USE bool verify_take_doubts(struct verify *v, struct err *err);

/* A difference that counts. */
void verify_found(struct verify *v, const struct job_difference *difference);
/* After count records of one side: waits for the rate, tells how far it is. False: stopped. */
MUST_USE bool verify_goes_on(struct verify *v, int64_t count, struct err *err);

/* The token of a key's text; false: it is no key of the table (err says why). */
MUST_USE bool verify_token(const struct map_schema *schema, struct slice key, struct arena *arena,
                           struct slice *cells, int64_t *token, struct err *err);

#endif
