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
    const char *timestamp_field;
    const char *replication; /* of a new keyspace, as CQL's map; NULL: SimpleStrategy, 1 */
    bool dry_run;            /* says what it would do */
    const struct log *log;
};

/* Appends the CQL and JSON to said, ready to be pasted; created: how many things were (or would
 * be) made. For tasks. */
MUST_USE bool job_init(struct cql_client *cassandra, struct es_client *elasticsearch,
                       const struct job_init_options *options, struct buf *said, int *created,
                       struct err *err);

#endif
