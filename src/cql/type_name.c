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
