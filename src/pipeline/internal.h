#ifndef PIPELINE_INTERNAL_H
#define PIPELINE_INTERNAL_H

#include "pipeline/memory.h"
#include "pipeline/pipeline.h"
#include "sink/sink.h"
#include "source/rows.h"
#include "source/source.h"
#include "store/dead_letter.h"

/* For the files of pipeline/ only. */

struct pipeline {
    struct io_loop *loop;
    struct cql_client *cassandra;
    struct es_client *elasticsearch;
    struct store *store;
    struct pipeline_options options;
    int64_t id;
    struct memory *memory;
    struct store_checkpoint checkpoint;
    int64_t since_given;     /* --since, 0: none */
    int64_t whole_read;      /* when the whole overlap was last read, µs */
    int64_t whole_took;      /* how long that cycle took, µs */
    int64_t documents_known; /* versions in the index up to it were read by a complete cycle */
    uint32_t batch;          /* keys of the next one; 0: none was yet */
    bool whole_wanted;       /* a row's entry is being looked for */
    bool broken;             /* entries may have expired before the next complete cycle */
    bool ahead;              /* what was looked at could not be stored: see outcome_sound */
    int64_t deletes;         /* copied to Elasticsearch in the current stretch of one overlap */
    int64_t deletes_from;
    int64_t deletes_waiting; /* entries without a row that wait for deleteSettle */
    int64_t dead_letters;
    bool said_extra;
    bool no_identity;         /* the stores can't be told apart from others: said once */
    pipeline_touch_fn *touch; /* of a load; or NULL */
    void *touch_ctx;
    int64_t created;                        /* µs */
    int64_t waiting_since[2];               /* see lag.c, by target */
    const struct pipeline_report *counting; /* of the cycle that is running, or NULL */
    struct pipeline_status status;
    /* Bound to the servers' schema; NULL until the first cycle reached both. */
    struct source_table table;
    bool bound;
    int64_t bound_at;    /* again, µs: what was copied before may lack columns; 0: not again */
    bool schema_changed; /* since it was bound */
    bool connected;      /* cql_connect has been called */
    struct source *series, *documents;
    struct source_rows *rows;
    struct sink *to_cassandra, *to_elasticsearch;
};

/* One cycle's view. */
struct cycle {
    struct pipeline *p;
    struct pipeline_report *report;
    int64_t now;     /* T */
    int64_t settled; /* S = T - settle */
    int64_t looked;  /* when the present batch was looked at: a cycle may take long */
    int64_t read;    /* when both stores had told what they hold of it */
    int64_t lowest;  /* overlap and settle are counted from here down */
    int64_t since;   /* lowest version of the whole overlap */
    int64_t from;    /* lowest version that is read */
    int64_t floor;   /* versions below were not asked for (--since); 0: none */
    bool whole;
    bool cut_short; /* a window was not read to its end: what is behind it is nobody's yet */
    char stores[STORE_STORES_MAX]; /* where the known history begins (synced.c) */
    struct pipeline_retry *retry;  /* dead letters to try again; or NULL */
    int64_t highest_elasticsearch, highest_cassandra; /* versions seen */
    int64_t waiting_since[2];                         /* see lag.c, by target */
    struct resolve_rules rules;
};

/* A record while it is examined. */
struct item {
    struct change_key key;
    struct change_document document;
    struct change_row row;
    struct memory_entry *entries;
    bool have_document;
    bool copy_stands; /* the row is still what was copied: the document was not asked for, and
                         nothing is compared */
    bool retried;     /* somebody asks for what was put into the dead letters */
    bool mended;      /* somebody says which side is right, whatever the versions are */
    struct resolve_facts facts;
    struct resolve_decision decision;
    struct memory_entry *decided; /* the entry of the decision's version */
    int64_t unexplained;          /* write time of an unexplained row among the dead letters */
    bool refused;                 /* its delete is among the dead letters */
    struct sink_write write;
    bool writes;
    bool put_off;
};

/* retry.c: the dead letters that c->retry asks for. */
MUST_USE bool retry_letters(struct cycle *c, const struct io_wake *stop, struct err *err);

/* sweep.c: removes documents that have been marked as deleted for long enough. */
MUST_USE bool sweep_deleted(struct cycle *c, const struct io_wake *stop, struct err *err);

/* window.c */
MUST_USE bool window_open(struct cycle *c, struct err *err);
int64_t window_version_at(const struct pipeline *p, int64_t us);

/* synced.c: where the known history of these stores begins. Before a cycle, and when it is
 * complete.
 */
MUST_USE bool synced_open(struct cycle *c, struct err *err);
void synced_note(const struct cycle *c, struct store_checkpoint *checkpoint);

/* intake.c: turns a key's text into an item in arena; false with bad set for what is no key. */
MUST_USE bool intake_item(const struct cycle *c, struct slice text, struct item *item,
                          struct arena *arena, struct err *bad);
/* All looks at it begin (again). One of before the window gets the last of them only: a second look
 * would draw the window down to it. */
void intake_look(const struct cycle *c, struct memory_entry *entry);
/* What was read of a source, or is due in the memory. */
typedef bool intake_page_fn(struct cycle *c, const struct source_page *page, struct arena *arena,
                            struct err *err);
MUST_USE bool intake_entries(struct cycle *c, const struct source_page *page, struct arena *arena,
                             struct err *err);
MUST_USE bool intake_documents(struct cycle *c, const struct source_page *page, struct arena *arena,
                               struct err *err);
MUST_USE bool intake_keys(struct cycle *c, const struct slice *keys, size_t count,
                          struct arena *arena, struct err *err);

/* examine.c: brings items (one a key) up to date on both sides; their keys are parsed already. */
MUST_USE bool examine_batch(struct cycle *c, struct item *items, size_t count, struct arena *arena,
                            struct err *err);

/* The steps of that: what both stores, the entries of item and the rules say of it, */
void examine_facts(const struct cycle *c, struct item *item);
/* what both stores hold (examine_read.c; of items without entries in any case), */
MUST_USE bool examine_read(struct cycle *c, struct item *items, size_t count, struct arena *arena,
                           struct err *err);
/* whether its row alone may be looked at, */
MUST_USE bool examine_row_may_do(int64_t now, int64_t bound_at, const struct item *item);
const struct store_entry *examine_highest(const struct item *item); /* of its entries, or NULL */
/* the write of an item's decision, */
void examine_prepare(const struct cycle *c, struct item *item);
/* and all writes: recorded as own copies first, then sent. */
MUST_USE bool examine_write(struct cycle *c, struct item *items, size_t count, struct arena *arena,
                            struct err *err);

/* outcome.c */
/* A write of a decision took effect: counted, marked as acknowledged. */
void outcome_applied(struct cycle *c, struct item *item);
/* False (ERR_STATE) once outcome_record failed: the looks are counted in memory, what became of
 * them (a dead letter) is not in the file, so nothing may be written to it any more. A restart
 * begins at what it has. */
MUST_USE bool outcome_sound(const struct pipeline *p, struct err *err);
MUST_USE bool outcome_record(struct cycle *c, struct item *items, size_t count, struct err *err);
MUST_USE bool outcome_dead(struct cycle *c, struct slice key, int64_t version,
                           enum change_side target, const char *rule, const char *reason,
                           struct slice payload, int64_t write_time, struct err *err);
/* A dead letter's record as JSON: as it was read where source is kept; "null" where there is none.
 */
void outcome_payload(const struct cycle *c, struct slice source,
                     const struct change_content *content, struct buf *out);

/* lag.c: a change towards target is put off since then; the cycle has ended; how long the changes
 * towards target wait. */
void lag_waits(struct cycle *c, enum change_side target, int64_t since);
void lag_cycle_ended(const struct cycle *c, bool complete);
int64_t lag_of(const struct pipeline *p, enum change_side target, int64_t now);

/* bind.c */
MUST_USE bool bind_servers(struct pipeline *p, struct err *err);
void unbind_servers(struct pipeline *p);

#endif
