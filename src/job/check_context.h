#ifndef JOB_CHECK_CONTEXT_H
#define JOB_CHECK_CONTEXT_H

#include "base/json.h"
#include "change/state.h"
#include "job/check.h"

/* For the files of `check` only: what one check has found out and the next builds on. A check is
 * one function; check.c has the table of them. */

/* What a check needs; it is left out where an earlier one could not provide it. */
enum check_need {
    CHECK_CASSANDRA = 1 << 0,     /* connected */
    CHECK_ELASTICSEARCH = 1 << 1, /* connected */
    CHECK_KEYSPACE = 1 << 2,      /* the keyspace is there */
    CHECK_DATA = 1 << 3,          /* the data table is there: check.data */
    CHECK_SERIES = 1 << 4,        /* the time series table is there: check.series */
    CHECK_TABLE = 1 << 5,         /* both fit: check.table */
    CHECK_READABLE = 1 << 6,      /* both may be read and written */
    CHECK_SAMPLE = 1 << 7,        /* check.sample */
    CHECK_INDEX = 1 << 8,         /* the index is there, and one: check.index */
    CHECK_MAPPING = 1 << 9,       /* check.mapping */
    CHECK_SEARCHABLE = 1 << 10,   /* documents can be searched by their version */
};

/* A table as system_schema has it. */
struct check_table {
    const char *keyspace, *name;
    const char *where; /* "cassandra keyspace.table" */
    struct map_table_column *columns;
    uint32_t column_count;
    char id[16];
    bool counter;
    int64_t default_ttl, gc_grace; /* s */
};

/* The newest entries of the time series table and the rows that they name. */
enum { CHECK_SAMPLE_MAX = 1000 };
struct check_entry {
    int64_t version;
    int64_t ttl; /* s, as it was written; 0: none, -1: can't be known */
    struct change_key key;
};
struct check_sample {
    struct check_entry *entries; /* the newest of each key */
    struct change_row *rows;     /* of each */
    size_t count;
    int64_t *versions; /* of all entries that were seen */
    size_t version_count;
    size_t seen, unusable;    /* keys that can't be an _id, */
    const char *unusable_why; /* and why the first of them can't */
};

struct check {
    struct cql_client *cassandra;
    struct es_client *elasticsearch;
    const struct job_check_options *options;
    const struct pipeline_options *pipeline;
    const struct source_table_options *tables;
    struct check_findings *findings;
    struct arena *arena; /* of the findings */
    unsigned have;       /* bits of enum check_need */
    struct err *err;     /* the first failure to reach a server */
    bool unreachable;

    struct check_table data, series;
    const struct map_schema *schema; /* without the columns that were complained about, or NULL */
    struct source_table table;
    struct check_sample sample;

    struct json_doc *index_doc;
    struct buf index_text;
    const struct json_node *index; /* {"aliases":…,"mappings":…,"settings":…} */
    const struct json_node *mapping;
    const char *index_where; /* "elasticsearch index" */
};

typedef void check_fn(struct check *check);

/* Each in the file of its name, or of what it is a part of. */
check_fn check_cassandra_connection, check_elasticsearch_connection; /* check_connection.c */
check_fn check_cassandra_privileges, check_elasticsearch_privileges; /* check_privileges.c */
check_fn check_keyspace, check_tables, check_columns, check_series;
check_fn check_lists;
check_fn check_index, check_settings;
check_fn check_meta; /* check_mapping.c */
check_fn check_fields;
check_fn check_clocks; /* check_clock.c */
check_fn check_entries, check_rows;
check_fn check_partitions, check_old_entries; /* check_partitions.c */
check_fn check_conditional_writes;            /* check_paxos.c */
check_fn check_documents;
check_fn check_insert_query; /* check_query.c */

/* Whether the login may write to the table; a finding otherwise. */
bool check_may_modify(struct check *check, const struct check_table *table);

/* A look at a server that failed: a finding, an error where the server is gone. */
void check_failed(struct check *check, const char *where, const char *what, const struct err *err);

/* Places. */
const char *check_option(struct check *check, const char *option);
const char *check_column_place(struct check *check, const struct check_table *table,
                               struct slice column);
const char *check_field_place(struct check *check, struct slice field);

#endif
