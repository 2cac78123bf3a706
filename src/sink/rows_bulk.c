#include "sink/rows_bulk.h"

#include "base/mem.h"
#include "sink/batcher.h"

#include <stdlib.h>

struct sink_rows_bulk {
    struct cql_client *client;
    struct sink_row_insert insert;
};

static void finish(void *ctx, const struct err *err)
{
    sink_write_finish(ctx, err);
}

void sink_rows_bulk_apply(struct sink_rows_bulk *bulk, struct sink_write *const *writes,
                          size_t count, unsigned in_flight)
{
    struct arena arena = {0};
    struct sink_batcher batcher = {.client = bulk->client,
                                   .arena = &arena,
                                   .consistency = bulk->insert.options->consistency,
                                   .repeatable = bulk->insert.repeatable,
                                   .in_flight = in_flight,
                                   .batch_max = SINK_BATCH_PARTITIONS};
    for (size_t i = 0; i < count; i++) {
        struct cql_statement statement;
        struct err err = {0};
        if (sink_row_insert_bind(&bulk->insert, writes[i], &arena, &statement, &err))
            sink_batcher_add(&batcher, &statement, finish, writes[i]);
        else
            finish(writes[i], &err);
    }
    sink_batcher_finish(&batcher);
    arena_free(&arena);
}

struct sink_rows_bulk *sink_rows_bulk_new(struct cql_client *client,
                                          const struct source_table *table,
                                          const struct source_table_options *options,
                                          struct err *err)
{
    struct sink_rows_bulk *bulk = mem_zalloc(sizeof *bulk);
    bulk->client = client;
    bulk->insert = (struct sink_row_insert){.table = table, .options = options};
    if (sink_row_insert_prepare(&bulk->insert, client, err))
        return bulk;
    free(bulk);
    return NULL;
}

void sink_rows_bulk_free(struct sink_rows_bulk *bulk)
{
    free(bulk);
}
