#include "app/engine.h"

#include "base/clock.h"
#include "base/mem.h"
#include "job/init.h"

#include <stdlib.h>

enum {
    BACKOFF_MIN_MS = 200,
    BACKOFF_MAX_MS = 30000,
};

struct engine {
    const struct app_config *config;
    const struct config_pipeline *settings;
    const struct log *log;
    struct io_loop *loop;
    struct cql_client *cassandra;
    struct es_client *elasticsearch;
    struct store *store;
    struct pipeline *pipeline;
    struct pipeline_options options;
    struct arena arena; /* of options */
    struct io_wake stop;
    int64_t since;
    int open;                 /* clients that are not closed yet */
    struct err failure;       /* of the last cycle */
    int64_t failing_since_us; /* wall clock; 0: it was complete */
    enum err_class told;      /* of failure */
    uint64_t backoff_ms;
};

static const enum cql_consistency consistencies[] = {
    [CONFIG_LOCAL_QUORUM] = CQL_LOCAL_QUORUM,
    [CONFIG_QUORUM] = CQL_QUORUM,
    [CONFIG_EACH_QUORUM] = CQL_EACH_QUORUM,
    [CONFIG_ALL] = CQL_ALL,
    [CONFIG_ONE] = CQL_ONE,
    [CONFIG_TWO] = CQL_TWO,
    [CONFIG_THREE] = CQL_THREE,
    [CONFIG_LOCAL_ONE] = CQL_LOCAL_ONE,
};

static const int64_t unit_us[] = {
    [CONFIG_UNIT_S] = 1000000,
    [CONFIG_UNIT_MS] = 1000,
    [CONFIG_UNIT_US] = 1,
    [CONFIG_UNIT_NONE] = 0,
};

static const struct slice *slices(struct engine *e, const char *const *texts, size_t count)
{
    struct slice *list = arena_alloc(&e->arena, (count + 1) * sizeof *list);
    for (size_t i = 0; i < count; i++)
        list[i] = slice_str(texts[i]);
    return list;
}

static void fill_map(struct engine *e, struct map_options *map)
{
    const struct config_pipeline *s = e->settings;
    *map = (struct map_options){
        .cassandra_include = slices(e, s->cassandra.include.items, s->cassandra.include.count),
        .cassandra_include_count = (uint32_t)s->cassandra.include.count,
        .cassandra_exclude = slices(e, s->cassandra.exclude.items, s->cassandra.exclude.count),
        .cassandra_exclude_count = (uint32_t)s->cassandra.exclude.count,
        .elasticsearch_include = slices(e, s->es.include.items, s->es.include.count),
        .elasticsearch_include_count = (uint32_t)s->es.include.count,
        .elasticsearch_exclude = slices(e, s->es.exclude.items, s->es.exclude.count),
        .elasticsearch_exclude_count = (uint32_t)s->es.exclude.count,
        .rename_field = slices(e, s->rename.names, s->rename.count),
        .rename_column = slices(e, s->rename.values, s->rename.count),
        .rename_count = (uint32_t)s->rename.count,
        .key_names = slices(e, s->cassandra.data_ids.items, s->cassandra.data_ids.count),
        .key_name_count = (uint32_t)s->cassandra.data_ids.count,
        .timestamp_field = slice_str(s->es.timestamp_field),
        .deleted_field = slice_str(s->es.deleted_field),
    };
}

static void fill_options(struct engine *e)
{
    const struct config_pipeline *s = e->settings;
    const int64_t unit = unit_us[s->sync.unit];
    e->options = (struct pipeline_options){
        .name = s->name,
        .table =
            {
                .keyspace = s->cassandra.keyspace,
                .data = s->cassandra.data_table,
                .series = s->cassandra.series_table,
                .series_id = s->cassandra.series_id_column,
                .series_version = s->cassandra.series_time_column,
                .buckets = (uint32_t)s->cassandra.buckets,
                .unit_us = unit,
                .consistency = consistencies[s->cassandra.consistency],
            },
        .guard = s->cassandra.guard == CONFIG_GUARD_TIMESTAMP ? RESOLVE_GUARD_TIMESTAMP
                                                              : RESOLVE_GUARD_SNAPSHOT,
        .tie =
            s->sync.tie == CONFIG_TIE_CASSANDRA ? RESOLVE_TIE_CASSANDRA : RESOLVE_TIE_ELASTICSEARCH,
        .skip_missing_rows = s->cassandra.missing_row == CONFIG_MISSING_SKIP,
        .logged_batch = s->cassandra.batch == CONFIG_BATCH_LOGGED,
        .ttl = (int32_t)s->cassandra.ttl,
        .overlap = s->sync.overlap,
        .overlap_us = unit ? s->sync.overlap * unit : s->sync.overlap * 1000000,
        .settle_us = s->sync.settle * 1000,
        .future_skew_us = s->sync.max_future_skew * 1000,
        .delete_settle_us = s->cassandra.delete_settle * 1000,
        .max_deletes = s->cassandra.max_deletes,
        .dead_letters_max = e->config->dead_letters_max,
        .refresh = s->es.refresh,
        .timestamp_field = slice_str(s->es.timestamp_field),
        .deleted_field = slice_str(s->es.deleted_field),
        .log = e->log,
    };
    fill_map(e, &e->options.table.map);
}

static bool open_clients(struct engine *e, struct err *err)
{
    const struct config_pipeline *s = e->settings;
    const struct cql_options cassandra = {
        .contact_points = s->cassandra.contact_points.items,
        .contact_point_count = s->cassandra.contact_points.count,
        .port = (uint16_t)s->cassandra.port,
        .username = s->cassandra.username,
        .password = s->cassandra.password,
        .local_datacenter = s->cassandra.local_datacenter,
        .protocol_version = (int)s->cassandra.protocol_version,
        .compression = s->cassandra.compression,
        .connect_timeout_ms = (uint64_t)s->cassandra.connect_timeout,
        .request_timeout_ms = (uint64_t)s->cassandra.request_timeout,
        .log = e->log,
    };
    const struct es_options elasticsearch = {
        .hosts = s->es.hosts.items,
        .host_count = s->es.hosts.count,
        .username = s->es.username,
        .password = s->es.password,
        .api_key = s->es.api_key,
        .tls = {.ca = s->es.tls.ca,
                .cert = s->es.tls.cert,
                .key = s->es.tls.key,
                .no_verify = !s->es.tls.verify},
        .index = s->es.index,
        .type = s->es.type,
        .timestamp_field = s->es.timestamp_field,
        .request_timeout_ms = (uint64_t)s->es.request_timeout,
        .log = e->log,
    };
    e->cassandra = cql_client_new(e->loop, &cassandra, err);
    if (!e->cassandra)
        return false;
    e->elasticsearch = es_client_new(e->loop, &elasticsearch, err);
    return e->elasticsearch != NULL;
}

struct engine *engine_new(struct io_loop *loop, const struct app_config *config, bool with_state,
                          const struct log *log, struct err *err)
{
    struct engine *e = mem_zalloc(sizeof *e);
    e->config = config;
    e->settings = &config->pipelines[0];
    e->log = log;
    e->loop = loop;
    fill_options(e);
    if (with_state)
        e->store = store_open(config->state, err);
    bool fine = (e->store || !with_state) && open_clients(e, err);
    if (fine && with_state) {
        e->pipeline =
            pipeline_new(e->loop, e->cassandra, e->elasticsearch, e->store, &e->options, err);
        fine = e->pipeline != NULL;
    }
    if (fine)
        return e;
    engine_free(e);
    return NULL;
}

static void on_closed(void *ctx)
{
    struct engine *e = ctx;
    e->open--;
}

void engine_free(struct engine *e)
{
    if (!e)
        return;
    pipeline_free(e->pipeline);
    e->open = (e->cassandra != NULL) + (e->elasticsearch != NULL);
    if (e->cassandra)
        cql_client_close(e->cassandra, on_closed, e);
    if (e->elasticsearch)
        es_client_close(e->elasticsearch, on_closed, e);
    while (e->open > 0)
        uv_run(io_loop_uv(e->loop), UV_RUN_ONCE);
    store_close(e->store);
    arena_free(&e->arena);
    free(e);
}

void engine_start_from(struct engine *e, int64_t since)
{
    e->since = since;
    pipeline_start_from(e->pipeline, since);
}

int64_t engine_since(const struct engine *e)
{
    return e->since;
}

void engine_status(const struct engine *e, struct engine_status *out)
{
    *out = (struct engine_status){.failure = e->failure, .failing_since_us = e->failing_since_us};
    pipeline_status(e->pipeline, &out->pipeline);
}

void engine_stop(struct engine *e)
{
    io_wake_raise(&e->stop);
}

static int64_t total(const struct pipeline_counts *c)
{
    return c->copied + c->deleted + c->superseded + c->dead;
}

/* One line a cycle, and only when something happened. */
static void tell_cycle(const struct engine *e, const struct pipeline_report *r, int64_t took_us)
{
    const struct pipeline_counts *to_es = &r->to_elasticsearch, *to_c = &r->to_cassandra;
    const enum log_level level = total(to_es) + total(to_c) > 0 ? LOG_INFO : LOG_DEBUG;
    if (log_enabled(e->log, level))
        log_line(e->log, level,
                 "%s: to Elasticsearch %lld copied, %lld deleted, %lld superseded, %lld dead; to "
                 "Cassandra %lld copied, %lld deleted, %lld dead; %lld put off; %lld ms",
                 e->options.name, (long long)to_es->copied, (long long)to_es->deleted,
                 (long long)to_es->superseded, (long long)to_es->dead, (long long)to_c->copied,
                 (long long)to_c->deleted, (long long)to_c->dead, (long long)r->put_off,
                 (long long)(took_us / 1000));
}

static bool one_cycle(struct engine *e, bool whole, struct pipeline_report *report, struct err *err)
{
    const int64_t start = clock_mono_us();
    const bool fine = pipeline_cycle(e->pipeline, whole, &e->stop, report, err);
    tell_cycle(e, report, clock_mono_us() - start);
    return fine;
}

/* A job on the loop: runs as a task, the caller blocks until it ends. */
struct job {
    struct engine *e;
    bool (*run)(struct job *job);
    struct pipeline_report *report;
    struct err *err;
    bool fine, ended;
    bool dry_run;
    struct buf *said;
    int *created;
};

static void job_main(void *ctx)
{
    struct job *job = ctx;
    job->fine = job->run(job);
}

static void job_ended(void *ctx)
{
    struct job *job = ctx;
    job->ended = true;
    io_loop_stop(job->e->loop);
}

static bool run_job(struct job *job)
{
    io_task_start(job->e->loop, job_main, job, job_ended);
    while (!job->ended)
        io_loop_run(job->e->loop);
    return job->fine;
}

static bool sync_job(struct job *job)
{
    struct engine *e = job->e;
    struct pipeline_report *sum = job->report;
    *sum = (struct pipeline_report){0};
    for (;;) {
        struct pipeline_report one;
        const bool fine = one_cycle(e, true, &one, job->err);
        pipeline_counts_add(&sum->to_elasticsearch, &one.to_elasticsearch);
        pipeline_counts_add(&sum->to_cassandra, &one.to_cassandra);
        sum->put_off = one.put_off;
        sum->gap = one.gap;
        if (fine && one.put_off == 0)
            return true;
        /* What was too fresh for this cycle is settled in the next. */
        if (fine)
            io_sleep(e->loop, (uint64_t)(e->options.settle_us / 1000) + 50, &e->stop);
        if (e->stop.raised)
            return err_set(
                job->err, ERR_CANCELLED,
                "stopped before its end; what it did stays, the next goes on from there");
        if (!fine)
            return false;
    }
}

bool engine_sync(struct engine *e, struct pipeline_report *report, struct err *err)
{
    struct job job = {.e = e, .run = sync_job, .report = report, .err = err};
    return run_job(&job);
}

/* Once an outage, and again when it becomes one that needs somebody's hand. */
static void tell_failure(struct engine *e, const struct err *err)
{
    const enum err_class class = err_class_of(err->code);
    const bool told = e->failing_since_us && e->told == class;
    e->failure = *err;
    e->told = class;
    if (!e->failing_since_us)
        e->failing_since_us = clock_wall_us();
    log_line(e->log, told ? LOG_DEBUG : LOG_ERROR, "%s: %s; trying again until it works",
             e->options.name, err->text);
}

static void tell_recovery(struct engine *e)
{
    if (!e->failing_since_us)
        return;
    log_info(e->log, "%s: works again after %lld s", e->options.name,
             (long long)((clock_wall_us() - e->failing_since_us) / 1000000));
    e->failure = (struct err){0};
    e->failing_since_us = 0;
}

static uint64_t next_backoff(struct engine *e)
{
    e->backoff_ms = e->backoff_ms ? e->backoff_ms * 2 : BACKOFF_MIN_MS;
    if (e->backoff_ms > BACKOFF_MAX_MS)
        e->backoff_ms = BACKOFF_MAX_MS;
    return e->backoff_ms / 2 + (uint64_t)random() % (e->backoff_ms / 2 + 1);
}

static bool run_loop(struct job *job)
{
    struct engine *e = job->e;
    bool whole = true;
    while (!e->stop.raised) {
        struct pipeline_report report;
        struct err err = {0};
        const int64_t start = clock_mono_us();
        const bool fine = one_cycle(e, whole, &report, &err);
        if (e->stop.raised)
            break;
        if (fine) {
            whole = false;
            engine_start_from(e, 0);
            e->backoff_ms = 0;
            tell_recovery(e);
        } else if (err.code == ERR_STATE) {
            *job->err = err;
            return false;
        } else {
            tell_failure(e, &err);
        }
        const int64_t took = (clock_mono_us() - start) / 1000;
        const int64_t rest = e->settings->interval - took;
        const uint64_t wait = fine ? (rest > 0 ? (uint64_t)rest : 1) : next_backoff(e);
        io_sleep(e->loop, wait, &e->stop);
    }
    return true;
}

bool engine_run(struct engine *e, struct err *err)
{
    struct job job = {.e = e, .run = run_loop, .err = err};
    return run_job(&job);
}

static void append_replication(const struct engine *e, struct buf *out)
{
    const struct config_pairs *pairs = &e->settings->cassandra.replication;
    for (size_t i = 0; i < pairs->count; i++)
        buf_printf(out, "%s'%s': '%s'", i ? ", " : "{", pairs->names[i], pairs->values[i]);
    if (pairs->count)
        buf_append_char(out, '}');
}

static bool init_job(struct job *job)
{
    struct engine *e = job->e;
    struct buf replication = {0};
    append_replication(e, &replication);
    const struct job_init_options options = {
        .table = &e->options.table,
        .index = e->settings->es.index,
        .type = e->settings->es.type,
        .timestamp_field = e->settings->es.timestamp_field,
        .loop = e->loop,
        .replication = replication.len ? buf_cstr(&replication) : NULL,
        .dry_run = job->dry_run,
        .log = e->log,
    };
    const bool fine =
        job_init(e->cassandra, e->elasticsearch, &options, job->said, job->created, job->err);
    buf_free(&replication);
    return fine;
}

bool engine_init(struct engine *e, bool dry_run, struct buf *said, int *created, struct err *err)
{
    struct job job = {
        .e = e, .run = init_job, .err = err, .dry_run = dry_run, .said = said, .created = created};
    return run_job(&job);
}
