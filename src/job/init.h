#ifndef JOB_INIT_H
#define JOB_INIT_H

#include "base/buf.h"
#include "base/log.h"
#include "cql/client.h"
#include "es/client.h"
#include "source/table.h"

/* Creates what a pipeline needs and nothing else: keyspace, data table, time series table, index.
 * What exists is never touched. */
struct job_init_options {
    const struct source_table_options *table;
    const char *index;
    const char *type; /* of documents below 7; NULL: "doc" */
    const char *timestamp_field;
    const char *replication; /* of a new keyspace, as CQL's map; NULL: SimpleStrategy, 1 */
    bool dry_run;            /* says what it would do */
    struct io_loop *loop;    /* pauses while nodes agree on the schema; NULL: asks without pause */
    const struct log *log;
};

/* Connects, looks at everything, then creates. Appends the CQL and JSON to said, ready to be
 * pasted; created: how many things were (or would be) made. For tasks.
 *
 * Where only one of data table and index is there, the other takes its fields from it; where none
 * is, nothing can be known of the records: ERR_SCHEMA. The key of a new data table is
 * dataIdFieldName: uuid, as in the seed's schema, or text where an _id in the index is no uuid (any
 * _id is text) or where the key has several columns. The version column of a new time series table
 * is bigint for every unit: int, which the seed had, ends in the year 2038; an int, bigint or
 * timestamp column that is there is used as it is. */
MUST_USE bool job_init(struct cql_client *cassandra, struct es_client *elasticsearch,
                       const struct job_init_options *options, struct buf *said, int *created,
                       struct err *err);

#endif
