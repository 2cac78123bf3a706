#ifndef SOURCE_TABLE_H
#define SOURCE_TABLE_H

#include "base/log.h"
#include "cql/client.h"
#include "map/schema.h"

/* The pipeline's two tables as they are on the server: what reading, writing and conversion
 * agree on. */

enum source_version_type { SOURCE_VERSION_INT, SOURCE_VERSION_BIGINT, SOURCE_VERSION_TIMESTAMP };

struct source_table_options {
    const char *keyspace;
    const char *data;           /* dataColumnFamily */
    const char *series;         /* timeseriesColumnFamily */
    const char *series_id;      /* timeseriesIdFieldName */
    const char *series_version; /* timestampFieldName */
    const char *version_column; /* of the data table, for load and verify; or NULL */
    uint32_t buckets;           /* timeseriesBuckets, at least 1 */
    int64_t unit_us;            /* of versions; 0: not wall-clock */
    enum cql_consistency consistency;
    struct map_options map; /* key names too */
};

struct source_table {
    const struct map_schema *schema;
    enum source_version_type version_type;
    /* PRIMARY KEY(id, timestamp): a second record of one version replaces the first's entry. */
    bool entry_per_version;
    enum source_version_type version_column_type;
    bool has_max_write_time; /* the server knows MAXWRITETIME */
    struct arena arena;      /* owns schema */
};

/* Reads system_schema. Errors: ERR_SCHEMA naming keyspace, table or column and what to do; or
 * those of the request. Free with source_table_free. For tasks. */
MUST_USE bool source_table_read(struct cql_client *client,
                                const struct source_table_options *options,
                                struct source_table *table, struct err *err);
/* The same from columns that were read before; they are not kept. */
MUST_USE bool source_table_build(const struct source_table_options *options,
                                 struct map_table_column *data, uint32_t data_count,
                                 struct map_table_column *series, uint32_t series_count,
                                 struct source_table *table, struct err *err);
void source_table_free(struct source_table *table);

/* The columns of one table, in arena; count 0: there is no such table. For tasks. */
MUST_USE bool source_table_columns(struct cql_client *client, const char *keyspace,
                                   const char *name, struct arena *arena,
                                   struct map_table_column **columns, uint32_t *count,
                                   struct err *err);

/* 5 for "5.0.9". */
int source_cassandra_major(const struct cql_client *client);

/* "keyspace"."name" with quotes doubled, as CQL wants it. */
void source_append_table(struct buf *out, const char *keyspace, const char *name);
void source_append_name(struct buf *out, struct slice name);

/* What is no key gets a name all the same, one of its own: the dead letters tell it by that. */
void source_append_raw_key(const struct map_schema *schema, const struct slice *cells,
                           struct buf *out);

/* A version in the encoding of a version column of this type; false when it doesn't fit. */
MUST_USE bool source_version_cell(enum source_version_type type, int64_t unit_us, int64_t version,
                                  char cell[8], struct slice *out);
int64_t source_version_of_cell(enum source_version_type type, int64_t unit_us, struct slice cell);
/* Of the series table. */
MUST_USE bool source_version_encode(const struct source_table *table, int64_t unit_us,
                                    int64_t version, char cell[8], struct slice *out);
int64_t source_version_decode(const struct source_table *table, int64_t unit_us, struct slice cell);

#endif
