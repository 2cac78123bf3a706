#include "sink/batcher.h"

enum { BATCH_BYTES = 4500, STATEMENT_BYTES = 40, VALUE_BYTES = 4 };

struct batched {
    sink_batched_fn *done;
    void *ctx;
};

struct sink_batch {
    struct sink_batcher *batcher;
    uint32_t count, room;
    size_t bytes;
    struct cql_statement *statements;
    struct batched *each;
};

static struct sink_batch *new_batch(struct sink_batcher *b, uint32_t room)
{
    struct sink_batch *batch = arena_alloc(b->arena, sizeof *batch);
    *batch = (struct sink_batch){
        .batcher = b,
        .room = room,
        .statements = arena_alloc(b->arena, room * sizeof *batch->statements),
        .each = arena_alloc(b->arena, room * sizeof *batch->each),
    };
    return batch;
}

static void send_batch(struct sink_batch *batch);

/* One of them is refused: which, single writes tell. */
static void send_singly(const struct sink_batch *batch)
{
    for (uint32_t i = 0; i < batch->count; i++) {
        struct sink_batch *single = new_batch(batch->batcher, 1);
        single->count = 1;
        single->statements[0] = batch->statements[i];
        single->each[0] = batch->each[i];
        send_batch(single);
    }
}

static void on_written(void *ctx, const struct cql_result *result, const struct err *err)
{
    const struct sink_batch *batch = ctx;
    (void)result;
    if (err && batch->count > 1 && err_class_of(err->code) == ERR_CLASS_REJECT) {
        send_singly(batch);
    } else {
        for (uint32_t i = 0; i < batch->count; i++)
            batch->each[i].done(batch->each[i].ctx, err);
    }
    io_group_done(&batch->batcher->group);
}

static void send_batch(struct sink_batch *batch)
{
    struct sink_batcher *b = batch->batcher;
    const struct cql_execution how = {.consistency = b->consistency, .repeatable = b->repeatable};
    struct err err = {0};
    io_group_add(&b->group);
    const bool sent = batch->count == 1
                          ? cql_execute(b->client, batch->statements, &how, on_written, batch, &err)
                          : cql_batch(b->client, CQL_BATCH_UNLOGGED, batch->statements,
                                      batch->count, &how, on_written, batch, &err);
    if (!sent)
        on_written(batch, NULL, &err);
}

static size_t size_of(const struct cql_statement *statement)
{
    size_t bytes = STATEMENT_BYTES;
    for (size_t i = 0; i < statement->value_count; i++)
        bytes += VALUE_BYTES + statement->values[i].bytes.len;
    return bytes;
}

void sink_batcher_cut(struct sink_batcher *b)
{
    if (!b->open)
        return;
    send_batch(b->open);
    b->open = NULL;
    io_group_wait_below(&b->group, b->in_flight - 1);
}

void sink_batcher_add(struct sink_batcher *b, const struct cql_statement *statement,
                      sink_batched_fn *done, void *ctx)
{
    const size_t bytes = size_of(statement);
    if (b->open && (b->open->count == b->open->room || b->open->bytes + bytes > BATCH_BYTES))
        sink_batcher_cut(b);
    if (!b->open)
        b->open = new_batch(b, b->batch_max);
    struct sink_batch *batch = b->open;
    batch->statements[batch->count] = *statement;
    batch->each[batch->count++] = (struct batched){done, ctx};
    batch->bytes += bytes;
}

void sink_batcher_finish(struct sink_batcher *b)
{
    sink_batcher_cut(b);
    io_group_wait(&b->group);
}
