#ifndef MAP_SCHEMA_H
#define MAP_SCHEMA_H

#include "base/arena.h"
#include "base/err.h"
#include "base/slice.h"
#include "cql/type.h"

#include <stdbool.h>
#include <stdint.h>

/* How columns and fields of one pipeline pair up. Built once from the live table (and again when
 * it changes), then read-only. */

struct map_codec;      /* map/codec.h */
struct map_user_types; /* map/user_type.h */

struct map_column {
    struct slice name;           /* of the column in Cassandra */
    struct slice field;          /* of the field in Elasticsearch (`rename`) */
    const struct cql_type *type; /* user-defined types resolved */
    const struct map_codec *codec;
    bool to_cassandra;     /* ElasticSearchConfig include/exclude let it through */
    bool to_elasticsearch; /* CassandraConfig include/exclude let it through */
    bool normal;           /* its cells may need map_normal */
};

struct map_schema {
    const struct map_column *keys; /* primary key, in its order */
    uint32_t key_count;
    uint32_t partition_count;         /* of them: the partition key */
    const struct map_column *columns; /* mapped regular columns, by name */
    uint32_t column_count;
    const struct map_fields *fields; /* columns by field name, map/fields.h */
    bool every_field;                /* as in map_options */
    struct slice ttl_field;          /* likewise */
    bool counters;                   /* a table of counters: it can only be read */
};

/* One column of the live table, from system_schema.columns. */
struct map_table_column {
    struct slice name;
    struct slice type; /* as system_schema spells it */
    enum { MAP_PARTITION_KEY, MAP_CLUSTERING, MAP_STATIC, MAP_REGULAR } kind;
    int32_t position;                        /* within its kind */
    const struct map_user_types *user_types; /* of its keyspace, map/user_type.h; may be NULL */
};

/* include and exclude: with an include list only what it names passes, otherwise all but what the
 * exclude list names. Elasticsearch's lists name fields and rule what travels to Cassandra,
 * Cassandra's name columns and rule what travels to Elasticsearch. A column that travels in neither
 * direction is not mapped, whatever its type. */
struct map_options {
    const struct slice *cassandra_include, *cassandra_exclude;
    uint32_t cassandra_include_count, cassandra_exclude_count;
    const struct slice *elasticsearch_include, *elasticsearch_exclude;
    uint32_t elasticsearch_include_count, elasticsearch_exclude_count;
    const struct slice *rename_field, *rename_column; /* pairs */
    uint32_t rename_count;
    const struct slice *key_names; /* dataIdFieldName: must be the primary key, in order */
    uint32_t key_name_count;
    struct slice timestamp_field; /* reserved in documents: never a mapped field */
    struct slice deleted_field;   /* likewise; may be null */
    struct slice ttl_field;       /* likewise: seconds that the record has to live; may be null */
    struct slice version_column; /* of the table, never mapped: it holds the version; may be null */
    bool every_field;     /* fields without a column are wanted too: insertQuery may name them */
    bool non_finite_text; /* nonFinite: NaN and the infinities as strings */
};

/* Everything in the result lives in arena, names included. Errors: ERR_SCHEMA naming the column
 * (unsupported type, key mismatch, static column, a rename of nothing, two columns for a field). */
MUST_USE const struct map_schema *map_schema_build(const struct map_table_column *columns,
                                                   uint32_t count,
                                                   const struct map_options *options,
                                                   struct arena *arena, struct err *err);

#endif
