#ifndef BENCH_SCRIPT_H
#define BENCH_SCRIPT_H

#include "support/record.h"

#include <stdbool.h>

/* What the scripted Cassandra knows: keyspace bench, tables data and ts, and how their rows look
 * in the answer to a SELECT. */

struct script_options {
    uint64_t records; /* in data */
    bool entries;     /* and in ts */
    int64_t version;  /* of all of them, in seconds; also when they were written */
};

struct script_column {
    struct slice name;
    uint16_t type_id;
};

enum { SCRIPT_COLUMNS = 40 };

struct script_select {
    enum { SCRIPT_NOTHING, SCRIPT_RANGE, SCRIPT_KEY, SCRIPT_ENTRIES, SCRIPT_FIXED } kind;
    struct script_column columns[SCRIPT_COLUMNS];
    unsigned column_count;
    struct script_column binds[SCRIPT_COLUMNS];
    unsigned bind_count;
    struct buf rows;      /* encoded, one behind the other */
    uint32_t *row_starts; /* row_count + 1 of them; NULL: SCRIPT_FIXED */
    uint32_t row_count;
};

struct script {
    struct script_options options;
    struct record *records; /* by token */
};

void script_open(struct script *script, const struct script_options *options);
/* What a statement answers; its text stays borrowed. */
void script_read(const struct script *script, struct slice text, struct script_select *select);
/* Appends the rows of system_schema.columns for data or ts. */
void script_describe(struct slice table, struct script_select *select);
/* The first record whose token is above. */
uint64_t script_above(const struct script *script, int64_t token);
/* The record with this key, or records when there is none. */
uint64_t script_find(const struct script *script, struct slice key);

#endif
