#include "status/metrics.h"

#include "base/mem.h"
#include "status/judge.h"

#include <stdlib.h>

/* Label values and help texts escape alike, but for the quotes. */
static void append_escaped(struct buf *out, const char *text, bool quoted)
{
    for (; *text; text++) {
        if (*text == '\n')
            buf_append_str(out, "\\n");
        else if (*text == '\\' || (quoted && *text == '"'))
            buf_printf(out, "\\%c", *text);
        else
            buf_append_char(out, *text);
    }
}

/* A sample's labels, and whether one was written yet. */
struct labels {
    struct buf *out;
    bool open;
};

static void append_label(struct labels *l, const char *name, const char *value)
{
    buf_printf(l->out, "%s%s=\"", l->open ? "," : "{", name);
    append_escaped(l->out, value, true);
    buf_append_char(l->out, '"');
    l->open = true;
}

static void append_number(struct buf *out, double v)
{
    buf_printf(out, v == (double)(int64_t)v ? "%.0f" : "%.9g", v);
}

/* One series of a metric: of a pipeline, or of the process (pipeline NULL). */
struct series {
    enum metric_id id;
    const char *pipeline;
    size_t first, second;
};

static void append_sample(const struct series *s, const char *suffix, const char *le, double v,
                          struct buf *out)
{
    const struct metric_info *info = metric_info(s->id);
    const size_t places[] = {s->first, s->second};
    struct labels labels = {.out = out};
    buf_printf(out, "%s%s", info->name, suffix);
    if (s->pipeline)
        append_label(&labels, "pipeline", s->pipeline);
    for (size_t i = 0; i < ARRAY_LEN(places); i++) {
        if (info->labels[i] != METRIC_LABEL_NONE)
            append_label(&labels, metric_label_name(info->labels[i]),
                         metric_label_value(info->labels[i], places[i]));
    }
    if (le)
        append_label(&labels, "le", le);
    buf_append_str(out, labels.open ? "} " : " ");
    append_number(out, v);
    buf_append_char(out, '\n');
}

static void append_histogram(const struct series *s, const struct metric_set *set, struct buf *out)
{
    size_t count;
    const double *bounds = metric_bounds(s->id, &count);
    const uint64_t *buckets = metric_buckets(set, s->id, s->first, s->second);
    uint64_t sum = 0;
    for (size_t i = 0; i <= count; i++) {
        struct buf le = {0};
        sum += buckets[i];
        if (i < count)
            buf_printf(&le, "%g", bounds[i]);
        else
            buf_append_str(&le, "+Inf");
        append_sample(s, "_bucket", buf_cstr(&le), (double)sum, out);
        buf_free(&le);
    }
    append_sample(s, "_sum", NULL, metric_value(set, s->id, s->first, s->second), out);
    append_sample(s, "_count", NULL, (double)sum, out);
}

static void append_all_series(enum metric_id id, const char *pipeline, const struct metric_set *set,
                              struct buf *out)
{
    const struct metric_info *info = metric_info(id);
    const size_t firsts = metric_label_count(info->labels[0]);
    const size_t seconds = metric_label_count(info->labels[1]);
    for (size_t i = 0; i < firsts * seconds; i++) {
        const struct series s = {id, pipeline, i / seconds, i % seconds};
        if (!metric_exists(id, s.first, s.second))
            continue;
        if (info->type == METRIC_HISTOGRAM)
            append_histogram(&s, set, out);
        else
            append_sample(&s, "", NULL, metric_value(set, id, s.first, s.second), out);
    }
}

static void put_counts(struct metric_set *set, size_t direction, const struct pipeline_counts *c)
{
    const int64_t counts[] = {
        [METRIC_COPIED] = c->copied,
        [METRIC_DELETED] = c->deleted,
        [METRIC_SUPERSEDED] = c->superseded,
        [METRIC_UNCHANGED] = c->unchanged,
        [METRIC_DEAD] = c->dead,
    };
    for (size_t i = 0; i < ARRAY_LEN(counts); i++)
        metric_put(set, METRIC_RECORDS, direction, i, (double)counts[i]);
}

/* What was measured, and what the facts say. */
static void measure(const struct status_snapshot *s, const struct status_pipeline *p,
                    int64_t age_us, struct metric_set *set)
{
    struct status_verdict v;
    status_judge(s, p, age_us, &v);
    *set = p->metrics;
    for (size_t i = 0; i < ARRAY_LEN(p->directions); i++) {
        put_counts(set, i, &p->directions[i].counts);
        metric_put(set, METRIC_LAG, i, 0, (double)(p->directions[i].lag_us + age_us) / 1e6);
    }
    for (size_t i = 0; i < ARRAY_LEN(p->servers); i++) {
        metric_put(set, METRIC_CHECKPOINT, i, 0, (double)p->servers[i].checkpoint);
        metric_put(set, METRIC_UP, i, 0, p->servers[i].up);
    }
    metric_put(set, METRIC_DEAD_LETTERS, 0, 0, (double)p->dead_letters);
    metric_put(set, METRIC_PAUSED, 0, 0, p->full || p->paused_us);
    metric_put(set, METRIC_GAP, 0, 0, p->gap);
    metric_put(set, METRIC_STUCK, 0, 0, v.state == STATUS_STUCK);
    metric_put(set, METRIC_READY, 0, 0, v.ready);
}

static const char *type_name(const struct metric_info *info)
{
    static const char *const names[] = {"counter", "gauge", "histogram"};
    return names[info->type];
}

void status_metrics(const struct status_snapshot *s, int64_t age_us, struct buf *out)
{
    struct metric_set *sets = mem_array(s->count + 1, sizeof *sets);
    for (size_t i = 0; i < s->count; i++)
        measure(s, &s->pipelines[i], age_us, &sets[i]);
    for (size_t id = 0; id < METRIC_COUNT; id++) {
        const struct metric_info *info = metric_info(id);
        buf_printf(out, "# HELP %s ", info->name);
        append_escaped(out, info->help, false);
        buf_printf(out, "\n# TYPE %s %s\n", info->name, type_name(info));
        if (info->scope == METRIC_PROCESS)
            append_all_series(id, NULL, &s->process, out);
        for (size_t i = 0; info->scope == METRIC_PIPELINE && i < s->count; i++)
            append_all_series(id, s->pipelines[i].name, &sets[i], out);
    }
    free(sets);
}

static void append_labels(const struct metric_info *info, const char *quote, struct buf *out)
{
    const char *gap = "";
    if (info->scope == METRIC_PIPELINE) {
        buf_printf(out, "%spipeline%s", quote, quote);
        gap = ", ";
    }
    for (size_t i = 0; i < ARRAY_LEN(info->labels); i++) {
        if (info->labels[i] == METRIC_LABEL_NONE)
            continue;
        buf_printf(out, "%s%s%s%s", gap, quote, metric_label_name(info->labels[i]), quote);
        gap = ", ";
    }
}

void status_metrics_help(struct buf *out)
{
    buf_append_str(out, "Metrics at http.listen's /metrics, in Prometheus' text format:\n\n");
    for (size_t id = 0; id < METRIC_COUNT; id++) {
        const struct metric_info *info = metric_info(id);
        buf_printf(out, "%s{", info->name);
        append_labels(info, "", out);
        buf_printf(out, "} %s\n    %s\n", type_name(info), info->help);
    }
}

static void append_bounds(enum metric_id id, struct buf *out)
{
    size_t count;
    const double *bounds = metric_bounds(id, &count);
    buf_printf(out, "- `%s`:", metric_info(id)->name);
    for (size_t i = 0; i < count; i++)
        buf_printf(out, "%s %g", i ? "," : "", bounds[i]);
    buf_append_str(out, " seconds\n");
}

static void append_values(enum metric_label label, struct buf *out)
{
    buf_printf(out, "| `%s` | ", metric_label_name(label));
    for (size_t i = 0; i < metric_label_count(label); i++)
        buf_printf(out, "%s`%s`", i ? ", " : "",
                   label == METRIC_LABEL_VERSION ? "…" : metric_label_value(label, i));
    buf_append_str(out, " |\n");
}

void status_metrics_markdown(struct buf *out)
{
    buf_append_str(
        out, "# Metrics\n\n"
             "Made by `caes-sync help metrics --markdown` from the table that the program measures "
             "with.\n\n"
             "The daemon serves them at `http.listen` under `/metrics`, in Prometheus' text format "
             "0.0.4; how to scrape them, alert rules and a dashboard are in "
             "[operations.md](operations.md). Counters start at 0 with the daemon and survive a "
             "reload.\n\n"
             "| metric | type | labels | meaning |\n| --- | --- | --- | --- |\n");
    for (size_t id = 0; id < METRIC_COUNT; id++) {
        const struct metric_info *info = metric_info(id);
        buf_printf(out, "| `%s` | %s | ", info->name, type_name(info));
        append_labels(info, "`", out);
        buf_printf(out, " | %s |\n", info->help);
    }
    buf_append_str(out, "\n## Labels\n\n| label | values |\n| --- | --- |\n"
                        "| `pipeline` | the pipeline's name, `default` in the flat form of the "
                        "configuration |\n");
    for (enum metric_label label = METRIC_LABEL_DIRECTION; label <= METRIC_LABEL_VERSION; label++)
        append_values(label, out);
    buf_append_str(out,
                   "\n`read`, `write`, `batch` and `prepare` are requests to Cassandra; `bulk`, "
                   "`search`, `get` and `refresh` to Elasticsearch; `other` are its mapping and "
                   "version. A request is counted once however many rows or documents it "
                   "holds.\n\n## Buckets\n\n");
    append_bounds(METRIC_CYCLE, out);
    append_bounds(METRIC_REQUEST, out);
    buf_append_str(
        out,
        "\n## Lag\n\n"
        "For each direction, the larger of two durations, never negative:\n\n"
        "- since the beginning of the last complete cycle: all that both stores showed by then "
        "has been applied, so nothing that shows later can have waited for longer;\n"
        "- since the oldest change that was put off (it is too fresh to be written over, or its "
        "write failed) was put off first.\n\n"
        "So a quiet, healthy pair shows a saw-tooth between the time that a cycle takes and "
        "`interval` more; while a server is away, both directions grow by a second a second, and "
        "fall back with the first complete cycle after it. After a start the last complete cycle "
        "is that of the run before. What is in the dead letters is not lag: "
        "`caes_dead_letters` counts it. An entry that waits for its row (`deleteSettle`) is no "
        "known change yet.\n");
}
