#include "app/monitor_internal.h"
#include "app/process.h"
#include "base/clock.h"

#include <unistd.h>

enum { LETTERS_US = 10000000 };

static const char *joined(struct status_snapshot *s, const struct config_list *list)
{
    struct buf text = {0};
    for (size_t i = 0; i < list->count; i++)
        buf_printf(&text, "%s%s", i ? ", " : "", list->items[i]);
    const char *copy = status_snapshot_text(s, buf_cstr(&text));
    buf_free(&text);
    return copy;
}

static void fill_server(struct status_snapshot *s, const struct engine_server *from,
                        struct status_server *to)
{
    to->version = status_snapshot_text(s, from->release);
    to->known = from->known;
    to->up = from->up;
    to->failing_since_us = from->failing_since_us;
    to->failure = status_snapshot_text(s, from->failing_since_us ? from->failure.text : "");
    to->silent_us = from->silent_us;
}

static void fill_servers(struct status_snapshot *s, const struct monitor_pipeline *m,
                         const struct config_pipeline *config, struct status_pipeline *p)
{
    struct status_server *es = &p->servers[METRIC_ELASTICSEARCH];
    struct status_server *cassandra = &p->servers[METRIC_CASSANDRA];
    struct buf table = {0};
    for (size_t i = 0; i < ARRAY_LEN(p->servers); i++)
        fill_server(s, &m->status.servers[i], &p->servers[i]);
    es->name = "Elasticsearch";
    es->address = joined(s, &config->es.hosts);
    es->holds = status_snapshot_text(s, config->es.index);
    es->checkpoint = m->status.pipeline.highest_elasticsearch;
    cassandra->name = "Cassandra";
    cassandra->address = joined(s, &config->cassandra.contact_points);
    buf_printf(&table, "%s.%s", config->cassandra.keyspace, config->cassandra.data_table);
    cassandra->holds = status_snapshot_text(s, buf_cstr(&table));
    cassandra->checkpoint = m->status.pipeline.highest_cassandra;
    buf_free(&table);
}

static void fill_directions(const struct monitor_pipeline *m, struct status_pipeline *p)
{
    p->directions[METRIC_TO_ELASTICSEARCH].lag_us = m->status.pipeline.lag_to_elasticsearch_us;
    p->directions[METRIC_TO_CASSANDRA].lag_us = m->status.pipeline.lag_to_cassandra_us;
    for (size_t way = 0; way < ARRAY_LEN(p->directions); way++) {
        p->directions[way].counts = m->counts[way];
        p->directions[way].rate = monitor_rate(m, way);
    }
    p->history = m->history;
}

struct taking {
    struct status_snapshot *s;
    struct status_pipeline *p;
};

static void add_letter(const struct taking *t, const struct status_letter *from)
{
    struct status_letter *to = &t->p->letters[t->p->letter_count++];
    *to = *from;
    to->key = status_snapshot_text(t->s, from->key);
    to->rule = status_snapshot_text(t->s, from->rule);
    to->reason = status_snapshot_text(t->s, from->reason);
}

static bool take_letter(void *ctx, const struct store_dead_letter *from)
{
    const struct taking *t = ctx;
    struct buf key = {0};
    buf_append_slice(&key, from->key);
    const struct status_letter letter = {
        .key = buf_cstr(&key),
        .rule = from->rule,
        .reason = from->reason,
        .direction =
            from->target == CHANGE_CASSANDRA ? METRIC_TO_CASSANDRA : METRIC_TO_ELASTICSEARCH,
        .version = from->version,
        .at_us = from->at,
    };
    add_letter(t, &letter);
    buf_free(&key);
    return t->p->letter_count < STATUS_LETTERS_MAX;
}

/* Reading them takes their contents along: not every second for nothing. */
static void fill_letters(struct status_snapshot *s, const struct monitor *all,
                         struct monitor_pipeline *m, struct status_pipeline *p)
{
    const struct taking taking = {s, p};
    struct err err = {0};
    const struct status_pipeline *before = m->letters ? m->from : NULL;
    if (before && before->dead_letters == p->dead_letters &&
        s->taken_mono_us - m->letters_us < LETTERS_US) {
        for (size_t i = 0; i < before->letter_count; i++)
            add_letter(&taking, &before->letters[i]);
        return;
    }
    if (p->dead_letters > 0 && m->engine &&
        !engine_letters(m->engine, STATUS_LETTERS_MAX, take_letter, (void *)&taking, &err))
        log_debug(all->log, "the page lacks the dead letters: %s", err.text);
    status_snapshot_unref(m->letters);
    m->letters = status_snapshot_ref(s);
    m->from = p;
    m->letters_us = s->taken_mono_us;
}

static int64_t unit_us(enum config_unit unit)
{
    static const int64_t units[] = {[CONFIG_UNIT_S] = 1000000,
                                    [CONFIG_UNIT_MS] = 1000,
                                    [CONFIG_UNIT_US] = 1,
                                    [CONFIG_UNIT_NONE] = 0};
    return units[unit];
}

static int64_t max64(int64_t a, int64_t b)
{
    return a > b ? a : b;
}

static void fill_verify(struct status_snapshot *s, const struct engine_verified *from,
                        struct status_verify *to)
{
    to->at_us = from->at_us;
    to->compared = from->compared;
    to->mended = from->mended;
    to->differences = from->differences;
    to->failed = from->failure.code != ERR_NONE;
    to->why = status_snapshot_text(s, to->failed ? from->failure.text : "");
}

static void fill_pipeline(struct status_snapshot *s, const struct monitor *all,
                          struct monitor_pipeline *m, struct status_pipeline *p)
{
    const struct config_pipeline *config = m->config;
    const struct pipeline_status *from = &m->status.pipeline;
    p->name = status_snapshot_text(s, config->name);
    p->active = m->engine != NULL;
    p->interval_us = config->interval * 1000;
    p->patience_us = max64(config->es.request_timeout, config->cassandra.request_timeout) * 1000;
    p->ready_lag_us = all->config->http.ready_lag * 1000;
    p->version_us = unit_us(config->sync.unit);
    p->cycles = m->past_cycles + from->cycles;
    p->completed_us = from->completed_us;
    p->completed_here = m->status.completed;
    p->cycle_us = m->status.cycle_us;
    p->quiet_us = m->status.quiet_us;
    p->failing_since_us = m->status.failing_since_us;
    p->failure = status_snapshot_text(s, p->failing_since_us ? m->status.failure.text : "");
    p->dead_letters = from->dead_letters;
    p->dead_letters_max = all->config->dead_letters_max;
    p->gap = from->gap;
    p->full = from->full;
    p->paused_us = m->status.paused_us;
    fill_servers(s, m, config, p);
    fill_directions(m, p);
    fill_verify(s, &m->verified, &p->verify);
    p->metrics = m->past;
    if (m->engine)
        engine_metrics_add(m->engine, &p->metrics);
    fill_letters(s, all, m, p);
}

struct status_snapshot *monitor_snapshot(struct monitor *m)
{
    struct status_snapshot *s = status_snapshot_new(m->count);
    s->taken_us = clock_wall_us();
    s->taken_mono_us = clock_mono_us();
    s->started_us = m->started_us;
    s->pid = (int)getpid();
    s->configuration = status_snapshot_text(s, m->config->file);
    s->state = status_snapshot_text(s, m->config->state);
    for (size_t i = 0; i < m->count; i++)
        fill_pipeline(s, m, m->pipelines[i], &s->pipelines[i]);
    process_measure(&s->process, s->started_us);
    return s;
}
