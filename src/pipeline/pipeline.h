#ifndef PIPELINE_PIPELINE_H
#define PIPELINE_PIPELINE_H

#include "base/log.h"
#include "change/state.h"
#include "cql/client.h"
#include "es/client.h"
#include "io/task.h"
#include "resolve/mend.h"
#include "sink/query.h"
#include "source/table.h"
#include "store/store.h"

/* One index and one table kept in sync: read -> resolve -> write -> checkpoint. The only place
 * that moves a checkpoint. docs/semantics.md is what it does. For tasks. */
struct pipeline;

struct pipeline_options {
    const char *name;
    struct source_table_options table; /* unit_us: of versions */
    enum resolve_guard guard;
    enum resolve_tie tie;
    bool skip_missing_rows;
    bool logged_batch;
    const struct sink_query_text *queries; /* insertQuery */
    uint32_t query_count;
    int32_t ttl;        /* of entries, s */
    int64_t overlap;    /* in versions */
    int64_t overlap_us; /* the same as time (where versions aren't, the number as seconds) */
    int64_t settle_us;
    int64_t future_skew_us;
    int64_t delete_settle_us;
    int64_t max_deletes;
    int64_t dead_letters_max;
    bool refresh;
    struct slice timestamp_field;
    struct slice deleted_field; /* may be null */
    int64_t keep_deleted_us;    /* how long documents marked by it stay */
    const struct log *log;
};

/* How long after a version's time what anybody writes at it has come (as far as it comes within the
 * overlap) and lies below S, µs: it stands for a whole unit, and clocks differ by settle. */
static inline int64_t pipeline_ends_after(const struct pipeline_options *o)
{
    return o->table.unit_us + o->overlap_us + 2 * o->settle_us;
}

/* Clients and store are borrowed for its life, options too. Errors: ERR_STATE. */
MUST_USE struct pipeline *pipeline_new(struct io_loop *loop, struct cql_client *cassandra,
                                       struct es_client *elasticsearch, struct store *store,
                                       const struct pipeline_options *options, struct err *err);
void pipeline_free(struct pipeline *pipeline);
/* For the client's events: a change of the tables' schema is looked at by the next cycle. */
void pipeline_on_event(struct pipeline *pipeline, const struct cql_event *event);

/* Lets the Cassandra client connect, for who uses it beside the pipeline. */
MUST_USE bool pipeline_connect(struct pipeline *pipeline, struct err *err);

/* Cycles look at versions from since (inclusive) on only, instead of going on from the checkpoint;
 * 0: from the checkpoint again. */
void pipeline_start_from(struct pipeline *pipeline, int64_t since);

/* What became of the changes towards one side. */
struct pipeline_counts {
    int64_t copied, deleted, superseded, unchanged, dead;
};

void pipeline_counts_add(struct pipeline_counts *to, const struct pipeline_counts *from);

struct pipeline_report {
    struct pipeline_counts to_elasticsearch, to_cassandra;
    int64_t put_off;    /* keys that wait for the next cycle */
    int64_t transient;  /* of them: because a server failed */
    bool gap;           /* entries may have expired unseen: not in sync until repair or load */
    struct err failure; /* the first transient failure */
};

/* One cycle both ways. whole: reads the whole overlap. stop (may be NULL) raised ends it between
 * two batches. False: it could not be completed (a server, ERR_STATE, ERR_SCHEMA); what it did is
 * in report and stays done, the checkpoint has not moved. */
MUST_USE bool pipeline_cycle(struct pipeline *pipeline, bool whole, const struct io_wake *stop,
                             struct pipeline_report *report, struct err *err);

/* Dead letters: those of key (null: all) are examined anew, in a cycle of its own. What somebody
 * asks for in this way is done: a row that nobody can explain is written over unless it was written
 * again, deletes are not counted against maxDeletes. A letter goes when its change was copied, or
 * turned out to be settled or superseded. */
struct pipeline_retry {
    struct slice key;
    int64_t put_off; /* keys that can't be decided yet: ask again */
};
MUST_USE bool pipeline_retry(struct pipeline *pipeline, struct pipeline_retry *retry,
                             const struct io_wake *stop, struct pipeline_report *report,
                             struct err *err);
/* Forgets the dead letters of key (null: all) without copying; *removed: how many. */
MUST_USE bool pipeline_purge(struct pipeline *pipeline, struct slice key, int64_t *removed,
                             struct err *err);
/* For those who read them (store/dead_letter.h): the pipeline's number in the state. */
int64_t pipeline_id(const struct pipeline *pipeline);

/* Records that differ, and what was done about each. */
enum pipeline_mended {
    PIPELINE_MENDED,   /* equal now: read again after the write (dry run: it would be written) */
    PIPELINE_EQUAL,    /* it was equal already */
    PIPELINE_PUT_OFF,  /* can't be decided yet, or a server failed: ask again */
    PIPELINE_UNMENDED, /* why tells the reason */
};
struct pipeline_mend {
    struct slice key;
    int64_t row_version;      /* as verify knows it; 0: unknown */
    int64_t row_write_time;   /* of the row that had it, µs; 0: unknown, or no row */
    int64_t document_version; /* of the document that was compared; 0: unknown, or none */
    bool no_document, no_row; /* there was none */
    struct resolve_decision decision;
    enum pipeline_mended outcome;
    char why[200]; /* one line; of PUT_OFF and UNMENDED */
};
struct pipeline_repair {
    enum resolve_policy policy;
    enum resolve_missing missing;
    bool dry_run;
    struct pipeline_mend *mends;
    size_t count; /* at most 1000 */
};
/* Reads both sides of each key, decides by the policy, writes through the guarded sinks, reads
 * again. Settles the dead letters of what is equal then. A row that was written since the last
 * cycle of the whole overlap began is PUT_OFF: its entry may not have been seen. False: a server or
 * the state failed; mends that have no outcome yet are PUT_OFF. */
MUST_USE bool pipeline_repair(struct pipeline *pipeline, const struct pipeline_repair *repair,
                              struct err *err);
/* Everything that exists has been compared and mended: the gap is closed. */
MUST_USE bool pipeline_close_gap(struct pipeline *pipeline, struct err *err);

/* -- for a load that runs beside the cycles ------------------------------------------------ */

/* Where the cycles' part of the work begins from now on; right after a complete cycle of the whole
 * overlap, with the pipeline's lock still held. */
struct pipeline_border {
    int64_t since;   /* from this version up they see everything on both sides */
    int64_t started; /* T and S of that cycle, µs */
    int64_t settled;
};
MUST_USE bool pipeline_load_begin(struct pipeline *pipeline, struct pipeline_border *out,
                                  struct err *err);

/* touch (NULL: nobody) is called with keys before anything of them is read or written: in the
 * task of the cycle, which it may make wait. */
typedef void pipeline_touch_fn(void *ctx, struct slice key);
void pipeline_watch(struct pipeline *pipeline, pipeline_touch_fn *touch, void *ctx);

/* Records that can't be loaded, all towards one side. ERR_CONFLICT: they are kept, but there are as
 * many as deadLetters.max allows. */
struct pipeline_letter {
    struct slice key;
    int64_t version;
    enum change_side target;
    const char *rule, *reason;
    struct slice payload; /* or null */
};
MUST_USE bool pipeline_dead_letters(struct pipeline *pipeline,
                                    const struct pipeline_letter *letters, size_t count,
                                    struct err *err);
/* All of that side has been copied; stores: their identity (source/identity.h). */
MUST_USE bool pipeline_loaded(struct pipeline *pipeline, enum change_side from, const char *stores,
                              struct err *err);

/* The version that a row's write time (µs, or CHANGE_NO_WRITE_TIME) stands for; 0: none. */
int64_t pipeline_version_of(const struct pipeline_options *options, int64_t write_time);

/* Rows of these versions had a document once, but for those of store/uncopied.h. */
struct pipeline_synced {
    int64_t from, to;   /* from 0: nothing is known */
    const char *stores; /* whose history it is; borrowed until the next cycle */
};
struct pipeline_synced pipeline_synced(const struct pipeline *pipeline);

/* What the next cycle would do with one record, and why. Writes nothing. */
struct pipeline_explanation {
    const struct map_schema *schema;
    struct change_document document;
    struct change_row row; /* with write times */
    struct resolve_facts facts;
    struct resolve_decision decision;
};
/* Content lives in arena. Errors: ERR_VALUE for what is no key; those of the servers. */
MUST_USE bool pipeline_explain(struct pipeline *pipeline, struct slice key,
                               struct pipeline_explanation *out, struct arena *arena,
                               struct err *err);

/* For status. */
struct pipeline_status {
    int64_t highest_elasticsearch, highest_cassandra; /* versions */
    int64_t completed_us;                             /* when the last cycle ended, 0: none yet */
    int64_t cycles;
    int64_t dead_letters;
    bool gap;
    bool full; /* the dead letters are as many as they may be: nothing is copied */
    /* How long the oldest change that is known and not applied has waited, or the time since the
     * beginning of the last complete cycle, whichever is larger; never negative. */
    int64_t lag_to_elasticsearch_us, lag_to_cassandra_us;
    struct pipeline_counts to_elasticsearch, to_cassandra; /* since the start */
};
void pipeline_status(const struct pipeline *pipeline, struct pipeline_status *out);

#endif
