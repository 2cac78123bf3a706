#include "source/identity.h"

#include "source/await.h"
#include "source/index.h"

#include <stdio.h>

static bool see_id(void *ctx, const struct slice *cells, uint32_t count)
{
    char *text = ctx;
    for (size_t i = 0; count > 0 && i < cells[0].len && i < 16; i++)
        snprintf(text + 2 * i, 3, "%02x", (unsigned char)cells[0].ptr[i]);
    return true;
}

bool source_identity(struct cql_client *cassandra, struct es_client *elasticsearch,
                     const struct source_table_options *table, char out[SOURCE_IDENTITY_MAX],
                     struct err *err)
{
    const struct cql_value values[] = {cql_value_of(slice_str(table->keyspace)),
                                       cql_value_of(slice_str(table->data))};
    const struct cql_statement statement = {
        .text = SLICE_LIT("SELECT id FROM system_schema.tables WHERE keyspace_name = ? AND "
                          "table_name = ?"),
        .values = values,
        .value_count = ARRAY_LEN(values),
    };
    const struct cql_execution execution = {.consistency = CQL_LOCAL_ONE};
    struct es_settings settings = {.uuid = ""};
    char id[40] = "";
    if (!await_cql_rows(cassandra, &statement, &execution, see_id, id, err) ||
        !source_index_settings(elasticsearch, &settings, err))
        return false;
    snprintf(out, SOURCE_IDENTITY_MAX, "%s %s", id, settings.uuid);
    return true;
}
