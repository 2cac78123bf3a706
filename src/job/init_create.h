#ifndef JOB_INIT_CREATE_H
#define JOB_INIT_CREATE_H

#include "base/json.h"
#include "job/init.h"

/* For init.c only: the second half of job_init. */

struct init {
    struct cql_client *cassandra;
    struct es_client *elasticsearch;
    const struct job_init_options *options;
    struct buf *said;
    int *created;
    struct arena arena;
    /* what is there */
    bool keyspace, data, series, index, mapped;
    bool any_type; /* the type of columns that hold JSON; true too where none is needed */
    /* what is, or what will be */
    struct map_table_column *columns; /* of the data table */
    uint32_t column_count;
    const struct map_schema *schema;
    struct json_doc *doc;
    struct buf mapping;
    struct buf remarks; /* of the data table, as CQL comments */
};

/* Makes, or in a dry run only says, what is not there. */
MUST_USE bool init_create(struct init *init, struct err *err);

#endif
