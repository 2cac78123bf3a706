#ifndef CHANGE_STATE_H
#define CHANGE_STATE_H

#include "base/err.h"
#include "change/record.h"

#include <stdbool.h>
#include <stdint.h>

/* What the two stores hold of one record, as read at one moment. */

enum change_side { CHANGE_ELASTICSEARCH, CHANGE_CASSANDRA };

static inline enum change_side change_other(enum change_side side)
{
    return side == CHANGE_ELASTICSEARCH ? CHANGE_CASSANDRA : CHANGE_ELASTICSEARCH;
}

/* The identity of a record in both forms. */
struct change_key {
    struct slice text;         /* canonical, the document's _id */
    const struct slice *cells; /* the primary key's columns */
};

/* A document. Absent: version 0 and content.missing. Marked as deleted: content.missing, but with
 * its version. */
struct change_document {
    int64_t version;
    struct change_content content;
    struct slice source;    /* raw, kept only when it has fields that no column takes, or all fields
                               are wanted (map_schema.every_field); else null */
    const char *unreadable; /* why it can't be converted; content is useless then; else NULL */
    int64_t seq_no, primary_term;
    struct slice routing; /* that it was written with, and is to keep; null: none */
    int32_t ttl;          /* seconds, of the ttlFieldName; 0: none */
};

/* No write time is known: no row, or only columns that have none. */
#define CHANGE_NO_WRITE_TIME INT64_MIN

struct change_row {
    struct change_content content;
    int64_t write_time; /* highest of the mapped columns, µs, or CHANGE_NO_WRITE_TIME */
    /* Of each column, in their order, where asked for; else NULL. */
    int64_t *write_times;
    int64_t version; /* of a version column, where there is one; else 0 */
    int32_t ttl;     /* the least of the mapped columns, where it is asked for, seconds; 0: none */
};

/* A sign of a change: this key was written with this version on that side. */
struct change_entry {
    struct slice key;
    int64_t version;
    const char *unusable; /* why the key can't be one on the other side; else NULL */
};

#endif
