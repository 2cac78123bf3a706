#include "cql/type_name.h"

static const struct cql_type_name names[] = {
    {CQL_ASCII, "ascii", "AsciiType"},
    {CQL_BIGINT, "bigint", "LongType"},
    {CQL_BLOB, "blob", "BytesType"},
    {CQL_BOOLEAN, "boolean", "BooleanType"},
    {CQL_COUNTER, "counter", "CounterColumnType"},
    {CQL_DECIMAL, "decimal", "DecimalType"},
    {CQL_DOUBLE, "double", "DoubleType"},
    {CQL_FLOAT, "float", "FloatType"},
    {CQL_INT, "int", "Int32Type"},
    {CQL_TIMESTAMP, "timestamp", "TimestampType"},
    {CQL_UUID, "uuid", "UUIDType"},
    {CQL_VARCHAR, "text", "UTF8Type"},
    {CQL_VARCHAR, "varchar", "UTF8Type"},
    {CQL_VARINT, "varint", "IntegerType"},
    {CQL_TIMEUUID, "timeuuid", "TimeUUIDType"},
    {CQL_INET, "inet", "InetAddressType"},
    {CQL_DATE, "date", "SimpleDateType"},
    {CQL_TIME, "time", "TimeType"},
    {CQL_SMALLINT, "smallint", "ShortType"},
    {CQL_TINYINT, "tinyint", "ByteType"},
    {CQL_DURATION, "duration", "DurationType"},
};

const struct cql_type_name *cql_type_name_of(enum cql_type_id id)
{
    for (size_t i = 0; i < ARRAY_LEN(names); i++)
        if (names[i].id == id)
            return &names[i];
    return NULL;
}

const struct cql_type_name *cql_type_name_find(struct slice cql)
{
    for (size_t i = 0; i < ARRAY_LEN(names); i++)
        if (slice_is(cql, names[i].cql))
            return &names[i];
    return NULL;
}

const struct cql_type_name *cql_type_name_find_class(struct slice class)
{
    for (size_t i = 0; i < ARRAY_LEN(names); i++)
        if (slice_is(class, names[i].class))
            return &names[i];
    return NULL;
}

static const char *const reserved[] = {
    "frozen",      "list",   "set",          "map",      "tuple",   "vector",    "add",
    "allow",       "alter",  "and",          "apply",    "asc",     "authorize", "batch",
    "begin",       "by",     "columnfamily", "create",   "default", "delete",    "desc",
    "describe",    "drop",   "entries",      "execute",  "from",    "full",      "grant",
    "if",          "in",     "index",        "infinity", "insert",  "into",      "is",
    "keyspace",    "limit",  "materialized", "mbean",    "mbeans",  "modify",    "nan",
    "norecursive", "not",    "null",         "of",       "on",      "or",        "order",
    "primary",     "rename", "replace",      "revoke",   "schema",  "select",    "table",
    "to",          "token",  "truncate",     "unlogged", "unset",   "update",    "use",
    "using",       "view",   "where",        "with",
};

bool cql_type_name_needs_quotes(struct slice name)
{
    if (name.len == 0 || name.ptr[0] < 'a' || name.ptr[0] > 'z')
        return true;
    for (size_t i = 0; i < name.len; i++) {
        const char c = name.ptr[i];
        if (!((c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || c == '_'))
            return true;
    }
    for (size_t i = 0; i < ARRAY_LEN(reserved); i++)
        if (slice_is(name, reserved[i]))
            return true;
    return cql_type_name_find(name) != NULL;
}
