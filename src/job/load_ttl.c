#include "job/load_internal.h"
#include "source/await.h"
#include "source/table.h"

/* Whether cells expire, which documents can't know without ttlFieldName. */

enum { SAMPLE = 200 };

static bool see(void *ctx, const struct slice *cells, uint32_t count)
{
    bool *expires = ctx;
    for (uint32_t i = 0; i < count; i++)
        *expires = *expires || !slice_is_null(cells[i]);
    return !*expires;
}

static bool has_one_ttl(const struct map_column *column)
{
    const enum cql_type_id id = column->type->id;
    return column->type->frozen ||
           (id != CQL_LIST && id != CQL_SET && id != CQL_MAP && id != CQL_UDT && id != CQL_COUNTER);
}

static bool append_select(const struct map_schema *schema, struct buf *text)
{
    uint32_t columns = 0;
    buf_append_str(text, "SELECT ");
    for (uint32_t i = 0; i < schema->column_count; i++) {
        if (!has_one_ttl(&schema->columns[i]))
            continue;
        buf_append_str(text, columns++ ? ", TTL(" : "TTL(");
        source_append_name(text, schema->columns[i].name);
        buf_append_char(text, ')');
    }
    return columns > 0;
}

bool load_look_at_ttl(struct load *l, struct err *err)
{
    const struct job_stores *stores = l->o->stores;
    const struct source_table_options *table = &stores->options->table;
    const struct map_schema *schema = stores->table.schema;
    struct buf text = {0};
    bool expires = false, fine = true;
    if (slice_is_null(schema->ttl_field) && append_select(schema, &text)) {
        buf_append_str(&text, " FROM ");
        source_append_table(&text, table->keyspace, table->data);
        buf_printf(&text, " LIMIT %d", SAMPLE);
        const struct cql_statement statement = {.text = buf_slice(&text)};
        const struct cql_execution execution = {.consistency = table->consistency};
        fine = await_cql_rows(stores->cassandra, &statement, &execution, see, &expires, err);
    }
    if (expires)
        load_note(l,
                  "cells of %s.%s have a time to live; their documents will stay (ttlFieldName "
                  "would carry it)",
                  table->keyspace, table->data);
    buf_free(&text);
    return fine;
}
