#include "status/page.h"

#include "status/judge.h"
#include "status/model.h"
#include "status/plot.h"
#include "status/words.h"

#include <time.h>

/* Everything that the page shows, in words. */

static void add_server(struct model *m, const char *name, const struct status_server *server)
{
    const char *condition = server->up ? "up" : server->known ? "down" : "unknown";
    const char *words = server->up ? "up" : server->known ? "does not answer" : "not asked yet";
    model_open(m, name, "{");
    model_text(m, "condition", condition);
    model_text(m, "condition_words", words);
    model_text(m, "holds", server->holds);
    model_text(m, "address", server->address);
    model_text(m, "version", server->version);
    model_close(m, '}');
}

static void add_plot(struct model *m, const struct status_pipeline *p, enum metric_direction way)
{
    struct plot plot;
    plot_make(p, way, &plot);
    model_text(m, "line", buf_cstr(&plot.line));
    model_text(m, "area", buf_cstr(&plot.area));
    model_text(m, "values", buf_cstr(&plot.values));
    if (plot.limit >= 0) {
        buf_printf(&m->words, "%.1f", plot.limit);
        model_words(m, "limit");
        model_duration(m, "ready_lag", p->ready_lag_us);
    }
    model_duration(m, "peak", (int64_t)(plot.peak_s * 1e6));
    buf_append_str(&m->words, "Lag over the last hour: now ");
    status_append_duration(&m->words, p->directions[way].lag_us + m->age_us);
    buf_append_str(&m->words, ", at most ");
    status_append_duration(&m->words, (int64_t)(plot.peak_s * 1e6));
    model_words(m, "plot_label");
    model_count(m, "step", STATUS_HISTORY_STEP_S);
    plot_free(&plot);
}

static void add_way(struct model *m, const struct status_pipeline *p, enum metric_direction way)
{
    const struct status_direction *d = &p->directions[way];
    model_open(m, NULL, "{");
    buf_printf(&m->words, "%s-%s", way == METRIC_TO_CASSANDRA ? "to-cassandra" : "to-elasticsearch",
               p->name);
    model_words(m, "id");
    model_text(m, "title", way == METRIC_TO_CASSANDRA ? "To Cassandra" : "To Elasticsearch");
    model_duration(m, "lag", d->lag_us + m->age_us);
    model_flag(m, "late", d->lag_us + m->age_us >= p->ready_lag_us);
    status_append_rate(&m->words, d->rate);
    model_words(m, "rate");
    add_plot(m, p, way);
    model_count(m, "copied", d->counts.copied);
    model_count(m, "deleted", d->counts.deleted);
    model_count(m, "superseded", d->counts.superseded);
    model_count(m, "unchanged", d->counts.unchanged);
    model_count(m, "dead", d->counts.dead);
    model_flag(m, "some_dead", d->counts.dead > 0);
    model_close(m, '}');
}

static void add_flow(struct model *m, const struct status_pipeline *p)
{
    const double rates[] = {p->directions[METRIC_TO_ELASTICSEARCH].rate,
                            p->directions[METRIC_TO_CASSANDRA].rate};
    add_server(m, "cassandra", &p->servers[METRIC_CASSANDRA]);
    add_server(m, "elasticsearch", &p->servers[METRIC_ELASTICSEARCH]);
    const struct status_server *servers = p->servers;
    model_text(m, "cassandra_lane",
               servers[METRIC_CASSANDRA].known && !servers[METRIC_CASSANDRA].up ? "cut" : "");
    model_text(m, "elasticsearch_lane",
               servers[METRIC_ELASTICSEARCH].known && !servers[METRIC_ELASTICSEARCH].up ? "cut"
                                                                                        : "");
    status_append_rate(&m->words, rates[METRIC_TO_ELASTICSEARCH]);
    model_words(m, "es_rate");
    status_append_rate(&m->words, rates[METRIC_TO_CASSANDRA]);
    model_words(m, "c_rate");
    model_flag(m, "es_flows", rates[METRIC_TO_ELASTICSEARCH] > 0);
    model_flag(m, "c_flows", rates[METRIC_TO_CASSANDRA] > 0);
}

static void add_letters(struct model *m, const struct status_pipeline *p)
{
    model_count(m, "dead_letters", p->dead_letters);
    model_flag(m, "has_letters", p->letter_count > 0);
    model_open(m, "letters", "[");
    for (size_t i = 0; i < p->letter_count; i++) {
        const struct status_letter *l = &p->letters[i];
        model_open(m, NULL, "{");
        model_text(m, "key", l->key);
        model_text(m, "to", l->direction == METRIC_TO_CASSANDRA ? "Cassandra" : "Elasticsearch");
        buf_printf(&m->words, "%lld", (long long)l->version);
        model_words(m, "version");
        model_text(m, "reason", l->reason);
        model_clock(m, "since", l->at_us);
        model_iso(m, "since_iso", l->at_us);
        model_close(m, '}');
    }
    model_close(m, ']');
    if (p->dead_letters > (int64_t)p->letter_count && p->letter_count > 0)
        model_count(m, "more", p->dead_letters - (int64_t)p->letter_count);
}

static void add_checkpoint(struct model *m, const char *name, const struct status_pipeline *p,
                           int64_t version)
{
    if (version == 0)
        buf_append_str(&m->words, "none yet");
    else
        buf_printf(&m->words, "%lld", (long long)version);
    if (version > 0 && p->version_us > 0 && version <= INT64_MAX / p->version_us) {
        buf_append_str(&m->words, " (");
        status_append_clock(&m->words, version * p->version_us, m->now_us);
        buf_append_char(&m->words, ')');
    }
    model_words(m, name);
}

static void add_verify(struct model *m, const struct status_verify *v)
{
    if (!v->at_us) {
        model_text(m, "verify", "never");
        return;
    }
    status_append_clock(&m->words, v->at_us, m->now_us);
    if (v->failed) {
        buf_printf(&m->words, ": failed: %s", v->why);
    } else if (v->differences == 0) {
        buf_append_str(&m->words, ": all ");
        status_append_count(&m->words, v->compared);
        buf_append_str(&m->words, " records equal");
        if (v->mended > 0) {
            buf_append_str(&m->words, ", ");
            status_append_count(&m->words, v->mended);
            buf_append_str(&m->words, " of them mended");
        }
    } else {
        buf_append_str(&m->words, ": ");
        status_append_count(&m->words, v->differences);
        buf_append_str(&m->words, " of ");
        status_append_count(&m->words, v->compared);
        buf_append_str(&m->words, " records differ");
    }
    model_words(m, "verify");
}

static void add_last_cycle(struct model *m, const struct status_pipeline *p)
{
    if (p->completed_us) {
        status_append_duration(&m->words, m->now_us - p->completed_us);
        buf_append_str(&m->words, " ago");
    } else {
        buf_append_str(&m->words, "none yet");
    }
    model_words(m, "last_cycle");
    if (p->cycle_us + m->age_us >= 2000000 && p->cycle_us >= 0)
        model_duration(m, "cycle_running", p->cycle_us + m->age_us);
    model_count(m, "cycles", p->cycles);
}

/* The state in a word or two, for the middle of the picture. */
static const char *state_words(const struct status_verdict *v)
{
    static const char *const words[] = {
        [STATUS_STARTING] = "starting",   [STATUS_IN_SYNC] = "in sync",
        [STATUS_CATCHING_UP] = "busy",    [STATUS_WAITING] = "waiting",
        [STATUS_FAILING] = "failing",     [STATUS_STUCK] = "stuck",
        [STATUS_PAUSED] = "paused",       [STATUS_GAP] = "gap",
        [STATUS_RELOADING] = "reloading",
    };
    return words[v->state];
}

static void add_pipeline(struct model *m, const struct status_pipeline *p)
{
    struct status_verdict v;
    status_judge(m->s, p, m->age_us, &v);
    model_open(m, NULL, "{");
    model_text(m, "name", p->name);
    model_flag(m, "many", m->s->count > 1);
    model_text(m, "level", status_level_name(v.level));
    model_text(m, "state", status_state_name(v.state));
    model_text(m, "state_words", state_words(&v));
    model_text(m, "text", v.text);
    model_flag(m, "ready", v.ready);
    model_text(m, "obstacle", v.obstacle);
    add_flow(m, p);
    model_open(m, "ways", "[");
    add_way(m, p, METRIC_TO_ELASTICSEARCH);
    add_way(m, p, METRIC_TO_CASSANDRA);
    model_close(m, ']');
    add_letters(m, p);
    add_checkpoint(m, "cassandra_checkpoint", p, p->servers[METRIC_CASSANDRA].checkpoint);
    add_checkpoint(m, "elasticsearch_checkpoint", p, p->servers[METRIC_ELASTICSEARCH].checkpoint);
    add_last_cycle(m, p);
    add_verify(m, &p->verify);
    model_close(m, '}');
}

static void add_verdict(struct model *m)
{
    static const char *const marks[] = {"✓", "!", "✕"};
    static const char *const colors[] = {"1d7a46", "c07f00", "b3261e"};
    struct status_verdict v;
    status_judge_all(m->s, m->age_us, &v);
    const char *heading = v.level == STATUS_TROUBLE     ? "Trouble"
                          : v.level == STATUS_ATTENTION ? "Needs a look"
                          : v.state == STATUS_IN_SYNC   ? "All is well"
                                                        : "Starting";
    model_text(m, "level", status_level_name(v.level));
    model_text(m, "heading", heading);
    model_text(m, "text", v.text);
    model_text(m, "mark", marks[v.level]);
    model_text(m, "icon_color", colors[v.level]);
    model_flag(m, "is_fine", v.level == STATUS_FINE);
    model_flag(m, "is_attention", v.level == STATUS_ATTENTION);
    model_flag(m, "is_trouble", v.level == STATUS_TROUBLE);
}

static void add_footer(struct model *m)
{
    const time_t now = m->now_us / 1000000;
    struct tm tm;
    char zone[16] = "";
    if (localtime_r(&now, &tm))
        strftime(zone, sizeof zone, "%Z", &tm);
    model_text(m, "program", CAES_VERSION);
    model_duration(m, "uptime", m->now_us - m->s->started_us);
    buf_printf(&m->words, "%d", m->s->pid);
    model_words(m, "pid");
    model_text(m, "configuration", m->s->configuration);
    model_clock(m, "now", m->now_us);
    model_iso(m, "now_iso", m->now_us);
    model_text(m, "zone", zone);
}

void status_page_model(const struct status_snapshot *s, int64_t age_us, struct buf *out)
{
    struct model m = {.s = s, .age_us = age_us, .now_us = s->taken_us + age_us, .out = out};
    model_open(&m, NULL, "{");
    add_verdict(&m);
    model_open(&m, "pipelines", "[");
    for (size_t i = 0; i < s->count; i++)
        add_pipeline(&m, &s->pipelines[i]);
    model_close(&m, ']');
    add_footer(&m);
    model_close(&m, '}');
    buf_free(&m.words);
}
