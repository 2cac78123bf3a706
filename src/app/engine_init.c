#include "app/engine_internal.h"
#include "job/init.h"

static void append_replication(const struct engine *e, struct buf *out)
{
    const struct config_pairs *pairs = &e->settings->cassandra.replication;
    for (size_t i = 0; i < pairs->count; i++)
        buf_printf(out, "%s'%s': '%s'", i ? ", " : "{", pairs->names[i], pairs->values[i]);
    if (pairs->count)
        buf_append_char(out, '}');
}

struct initialising {
    struct engine *e;
    bool dry_run;
    struct buf *said;
    int *created;
};

static bool init_all(void *ctx, struct err *err)
{
    const struct initialising *i = ctx;
    const struct engine *e = i->e;
    struct buf replication = {0};
    append_replication(e, &replication);
    const struct job_init_options options = {
        .table = &e->options.table,
        .index = e->settings->es.index,
        .type = e->settings->es.type,
        .timestamp_field = e->settings->es.timestamp_field,
        .loop = e->loop,
        .replication = replication.len ? buf_cstr(&replication) : NULL,
        .dry_run = i->dry_run,
        .log = e->log,
    };
    const bool fine = job_init(e->cassandra, e->elasticsearch, &options, i->said, i->created, err);
    buf_free(&replication);
    return fine;
}

bool engine_init(struct engine *e, bool dry_run, struct buf *said, int *created, struct err *err)
{
    struct initialising i = {e, dry_run, said, created};
    return engine_block_on(e, init_all, &i, err);
}
