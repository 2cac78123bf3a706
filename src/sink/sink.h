#ifndef SINK_SINK_H
#define SINK_SINK_H

#include "base/arena.h"
#include "base/err.h"
#include "change/state.h"

/* Where changes go. Every write has an outcome of its own; sending one twice changes nothing. */
struct sink;

enum sink_outcome {
    SINK_APPLIED,
    SINK_SUPERSEDED, /* the server holds that version or a higher one already */
    SINK_RETRY,      /* transient, or unknown whether it took effect: decide anew */
    SINK_REJECTED,   /* this write can't work: to the dead letters */
};

struct sink_write {
    const struct change_key *key;
    int64_t version;
    bool delete;
    const struct change_content *content;   /* what is to be there; unused for a delete */
    const struct change_document *document; /* what is there now: fields without a column
                                               and its routing stay */
    const struct change_row *row;           /* what is there now: nulls are written over values */
    bool every_column;                      /* Cassandra: nulls are written whatever row shows */
    bool gte;                               /* Elasticsearch: the same version may be replaced */
    int64_t write_time;                     /* Cassandra: of the row, µs */
    int64_t entry_time;                     /* Cassandra: of its entry, µs */
    bool no_entry;                          /* Cassandra: the row tells its version by itself */
    enum sink_outcome outcome;              /* filled by apply, as is err unless applied */
    struct err err;
};

/* err: NULL when it took effect. */
static inline void sink_write_finish(struct sink_write *write, const struct err *err)
{
    write->outcome = SINK_APPLIED;
    if (!err)
        return;
    write->err = *err;
    write->outcome = err_class_of(err->code) == ERR_CLASS_REJECT ? SINK_REJECTED : SINK_RETRY;
}

struct sink_ops {
    enum change_side side;
    /* Sends writes (at most one a key) and waits until each has its outcome. For tasks. */
    void (*apply)(struct sink *sink, struct sink_write *const *writes, size_t count);
    void (*free)(struct sink *sink);
};

struct sink {
    const struct sink_ops *ops;
};

#endif
