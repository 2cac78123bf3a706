#ifndef JOB_STORES_H
#define JOB_STORES_H

#include "pipeline/pipeline.h"
#include "source/rows.h"
#include "source/source.h"

/* Both stores as jobs see them that only read: connected, the schema looked at. */
struct job_stores {
    struct io_loop *loop;
    struct cql_client *cassandra;
    struct es_client *elasticsearch;
    const struct pipeline_options *options;
    /* filled by job_stores_open */
    struct source_table table;
    struct source *series;
    struct source_rows *rows;
};

/* loop, clients and options are borrowed and set by the caller. connected: cql_connect was called
 * before. Free with job_stores_close, also after a failure. For tasks. */
MUST_USE bool job_stores_open(struct job_stores *stores, bool connected, struct err *err);
void job_stores_close(struct job_stores *stores);

#endif
