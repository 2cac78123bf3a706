#include "sink/rows_bulk.h"

#include "base/mem.h"
#include "io/task.h"

#include <stdlib.h>

/* Unlogged batches: below what servers warn of by default (10 partitions, 5 KiB) they cost a server
 * less than single writes do. */
enum { BATCH_ROWS = 10, BATCH_BYTES = 4500, ROW_BYTES = 40, VALUE_BYTES = 4 };

struct sink_rows_bulk {
    struct cql_client *client;
    struct sink_row_insert insert;
};

struct applying {
    struct sink_rows_bulk *bulk;
    struct io_group group;
    struct arena arena;
};

struct batch {
    struct applying *applying;
    struct sink_write *writes[BATCH_ROWS];
    struct cql_statement statements[BATCH_ROWS];
    uint32_t count;
    size_t bytes;
};

static void finish(struct sink_write *write, const struct err *err)
{
    if (!err) {
        write->outcome = SINK_APPLIED;
        return;
    }
    write->err = *err;
    write->outcome = err_class_of(err->code) == ERR_CLASS_REJECT ? SINK_REJECTED : SINK_RETRY;
}

static void send_batch(struct applying *applying, struct batch *batch);

/* One of them is refused: which, single writes tell. */
static void send_singly(const struct batch *batch)
{
    for (uint32_t i = 0; i < batch->count; i++) {
        struct batch *single = arena_alloc(&batch->applying->arena, sizeof *single);
        *single = (struct batch){.applying = batch->applying, .count = 1};
        single->writes[0] = batch->writes[i];
        single->statements[0] = batch->statements[i];
        send_batch(batch->applying, single);
    }
}

static void on_written(void *ctx, const struct cql_result *result, const struct err *err)
{
    const struct batch *batch = ctx;
    (void)result;
    if (err && batch->count > 1 && err_class_of(err->code) == ERR_CLASS_REJECT) {
        send_singly(batch);
    } else {
        for (uint32_t i = 0; i < batch->count; i++)
            finish(batch->writes[i], err);
    }
    io_group_done(&batch->applying->group);
}

static void send_batch(struct applying *applying, struct batch *batch)
{
    const struct sink_row_insert *insert = &applying->bulk->insert;
    const struct cql_execution how = {.consistency = insert->options->consistency,
                                      .repeatable = insert->repeatable};
    struct cql_client *client = applying->bulk->client;
    struct err err = {0};
    io_group_add(&applying->group);
    const bool sent = batch->count == 1
                          ? cql_execute(client, batch->statements, &how, on_written, batch, &err)
                          : cql_batch(client, CQL_BATCH_UNLOGGED, batch->statements, batch->count,
                                      &how, on_written, batch, &err);
    if (!sent)
        on_written(batch, NULL, &err);
}

static size_t size_of(const struct cql_statement *statement)
{
    size_t bytes = ROW_BYTES;
    for (size_t i = 0; i < statement->value_count; i++)
        bytes += VALUE_BYTES + statement->values[i].bytes.len;
    return bytes;
}

static struct batch *new_batch(struct applying *applying)
{
    struct batch *batch = arena_alloc(&applying->arena, sizeof *batch);
    batch->applying = applying;
    batch->count = 0;
    batch->bytes = 0;
    return batch;
}

void sink_rows_bulk_apply(struct sink_rows_bulk *bulk, struct sink_write *const *writes,
                          size_t count, unsigned in_flight)
{
    struct applying applying = {.bulk = bulk};
    struct batch *batch = new_batch(&applying);
    for (size_t i = 0; i < count; i++) {
        struct cql_statement statement;
        struct err err = {0};
        if (!sink_row_insert_bind(&bulk->insert, writes[i], &applying.arena, &statement, &err)) {
            finish(writes[i], &err);
            continue;
        }
        const size_t bytes = size_of(&statement);
        if (batch->count == BATCH_ROWS ||
            (batch->count > 0 && batch->bytes + bytes > BATCH_BYTES)) {
            send_batch(&applying, batch);
            io_group_wait_below(&applying.group, in_flight - 1);
            batch = new_batch(&applying);
        }
        batch->statements[batch->count] = statement;
        batch->writes[batch->count++] = writes[i];
        batch->bytes += bytes;
    }
    if (batch->count > 0)
        send_batch(&applying, batch);
    io_group_wait(&applying.group);
    arena_free(&applying.arena);
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
