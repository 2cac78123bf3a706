#ifndef JOB_LOAD_INTERNAL_H
#define JOB_LOAD_INTERNAL_H

#include "job/flow.h"
#include "job/load.h"
#include "job/pace.h"
#include "job/versions.h"
#include "store/load.h"

/* For the files of load only. */

struct load_rows;
struct load_documents;
struct load_hand;

struct load {
    struct load *home; /* of one on a thread of its own (load_crew.c); NULL: this is home */
    const struct job_load *o;
    struct job_load_report *report;
    struct job_pace pace;
    struct job_flow cassandra, elasticsearch; /* what either side is given at once */
    struct store_load border;
    int64_t recent; /* rows written later than this may have an entry that does not show yet, µs */
    int64_t latest; /* versions above are of the future */
    bool at_the_end;               /* it would show by now */
    struct job_versions *versions; /* of the entries */
    struct store_load_part *parts;
    uint32_t part_count;
    double share_before; /* done before this run */
    const char *phase;
    struct buf text;
    struct load_rows *rows;           /* from Cassandra */
    struct load_documents *documents; /* from Elasticsearch */
    struct load_hand *hands;          /* a load for each of the crew */
    unsigned hand_count;
    bool failed; /* home's: one of the tasks did, the others end */
};

static inline struct load *load_home(struct load *l)
{
    return l->home ? l->home : l;
}

void load_flows_open(struct load *l);

/* load_crew.c: a load for each hand of the crew, its direction open. What they share with home is
 * what does not change while they work, the guard and the versions; all else they have for
 * themselves, and hand over what they counted with each page. */
void load_crew_open(struct load *l);
void load_crew_close(struct load *l);
/* Runs fn at home. */
void load_at_home(struct load *l, io_task_fn *fn, void *ctx);
/* Several tasks, so many of each thread, each of which does one number below count after the other;
 * tells the progress meanwhile. */
typedef bool load_work_fn(struct load *l, uint32_t number, struct err *err);
MUST_USE bool load_each(struct load *l, unsigned tasks, uint32_t count, load_work_fn *work,
                        struct err *err);
/* What was counted since it was last taken, and its adding. */
struct load_counted {
    struct job_load_report report;
    uint64_t cassandra_us, elasticsearch_us;
};
struct load_counted load_take_counted(struct load *l);
void load_add_counted(struct load *home, const struct load_counted *counted);

/* load_parts.c: a cycle, then border and parts, of a new load or of the one to go on with. */
MUST_USE bool load_prepare(struct load *l, struct err *err);
/* load_same.c: what a load was begun with, behind the identity of its stores (out). */
MUST_USE bool load_stores(const struct load *l, char out[STORE_STORES_MAX], struct err *err);
/* The identity alone again. */
void load_stores_alone(struct store_load *load);
/* Why one can't go on that was begun with before; NULL: it can. */
const char *load_differs(const struct store_load *before, const struct store_load *now);

/* load_divide.c: the parts of a new load. */
MUST_USE bool load_divide(struct load *l, struct err *err);
/* Documents that no part holds. */
MUST_USE bool load_count_left_out(struct load *l, struct err *err);
void load_add_part(struct load *l, int64_t low, int64_t high);
/* Part of that number, as far as it was copied. */
struct store_load_part load_part(struct load *l, uint32_t number);
/* A part has come to a position; with keys for later. */
MUST_USE bool load_part_done(struct load *l, uint32_t number, const struct store_load_part *part,
                             const struct slice *later, size_t later_count, struct err *err);
double load_share(const struct load *l);

/* load_progress.c */
void load_tell(struct load *l);
/* Something to know, at once. */
void load_note(struct load *l, const char *fmt, ...) PRINTF_LIKE(2, 3);
/* After count records: waits for the rate. False: stopped. */
MUST_USE bool load_goes_on(struct load *l, int64_t count, struct err *err);
/* A request failed, which flow knows by now: true after a while where it may work later; false: it
 * is over, err tells. */
MUST_USE bool load_retries(struct load *l, struct job_flow *flow, struct err *err);
/* The same for one that had no turn of its own: flow learns of it. */
MUST_USE bool load_retries_failed(struct load *l, struct job_flow *flow, struct err *err);
/* The most that one request should ask for, for the rate to be kept smoothly. */
uint32_t load_limit(const struct load *l, uint32_t limit);

/* Dead letters of a page, and keys for later; texts live in arena. */
struct load_rest {
    struct arena arena;
    struct pipeline_letter *letters;
    size_t letter_count, letter_room;
    struct slice *later;
    size_t later_count, later_room;
};
void load_rest_letter(struct load *l, struct load_rest *rest, struct slice key, int64_t version,
                      const char *rule, const char *reason, struct slice payload);
void load_rest_later(struct load_rest *rest, struct slice key);
MUST_USE bool load_rest_write_letters(struct load *l, struct load_rest *rest, struct err *err);
/* Empties it. */
void load_rest_reset(struct load_rest *rest);
void load_rest_free(struct load_rest *rest);

/* load_judge.c: what is to be done with a row that is there. */
enum load_verdict {
    LOAD_COPY,  /* it has this version, 0: nobody knows which */
    LOAD_SKIP,  /* a cycle sees to it */
    LOAD_LATER, /* nobody can tell yet */
    LOAD_VERSION_IN_FUTURE,
    LOAD_WRITTEN_IN_FUTURE, /* by its write time */
};
/* The same two as a rule: its name for a dead letter, and what it tells. */
const char *load_future_name(enum load_verdict verdict);
const char *load_future_text(enum load_verdict verdict);
MUST_USE bool load_judge(struct load *l, struct slice key, const struct change_row *row,
                         enum load_verdict *verdict, int64_t *version, struct err *err);
/* All entries of the time series table from a version up, into l->versions. */
MUST_USE bool load_read_entries(struct load *l, struct err *err);

/* load_ttl.c: says once that times to live are not carried, where cells have some. */
MUST_USE bool load_look_at_ttl(struct load *l, struct err *err);

/* Both directions: prepare statements, copy one part, look at keys again, clean up. */
MUST_USE bool load_rows_open(struct load *l, struct err *err);
load_work_fn load_rows_part;
MUST_USE bool load_rows_again(struct load *l, const struct slice *keys, size_t count,
                              struct err *err);
void load_rows_close(struct load *l);
MUST_USE bool load_documents_open(struct load *l, struct err *err);
/* The keys that have a row. */
MUST_USE bool load_documents_keys(struct load *l, struct err *err);
load_work_fn load_documents_part;
MUST_USE bool load_documents_again(struct load *l, const struct slice *keys, size_t count,
                                   struct err *err);
void load_documents_close(struct load *l);

#endif
