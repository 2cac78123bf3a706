#include "status/json.h"

#include "base/json.h"
#include "status/judge.h"

static const char *const servers[] = {"elasticsearch", "cassandra"};
static const char *const directions[] = {"to_elasticsearch", "to_cassandra"};

static const char *word(bool value)
{
    return value ? "true" : "false";
}

static double seconds(int64_t us)
{
    return (double)us / 1e6;
}

static void append_text(const char *name, const char *value, struct buf *out)
{
    buf_printf(out, "\"%s\":", name);
    if (!json_append_string(out, slice_str(value)))
        buf_append_str(out, "null");
}

/* "name":seconds, or null where there is no such time. */
static void append_time(const char *name, int64_t us, struct buf *out)
{
    if (us)
        buf_printf(out, "\"%s\":%.3f", name, seconds(us));
    else
        buf_printf(out, "\"%s\":null", name);
}

void status_json_counts(const char *name, const struct pipeline_counts *counts, struct buf *out)
{
    buf_printf(out,
               "\"%s\":{\"copied\":%lld,\"deleted\":%lld,\"superseded\":%lld,\"unchanged\":%lld,"
               "\"dead\":%lld}",
               name, (long long)counts->copied, (long long)counts->deleted,
               (long long)counts->superseded, (long long)counts->unchanged,
               (long long)counts->dead);
}

static void append_failure(int64_t since_us, const char *text, int64_t now_us, struct buf *out)
{
    buf_append_str(out, "\"failure\":");
    if (!since_us) {
        buf_append_str(out, "null");
        return;
    }
    buf_printf(out, "{\"for_seconds\":%.1f,", now_us > since_us ? seconds(now_us - since_us) : 0.0);
    append_text("message", text, out);
    buf_append_char(out, '}');
}

static void append_servers(const struct status_pipeline *p, int64_t now_us, struct buf *out)
{
    buf_append_str(out, "\"servers\":{");
    for (size_t i = 0; i < ARRAY_LEN(servers); i++) {
        const struct status_server *server = &p->servers[i];
        buf_printf(out, "%s\"%s\":{\"up\":%s,", i ? "," : "", servers[i], word(server->up));
        append_text("address", server->address, out);
        buf_append_char(out, ',');
        append_text("version", server->version, out);
        buf_append_char(out, ',');
        append_text("holds", server->holds, out);
        buf_append_char(out, ',');
        append_failure(server->failing_since_us, server->failure, now_us, out);
        buf_append_char(out, '}');
    }
    buf_append_char(out, '}');
}

static void append_lags(const struct status_pipeline *p, int64_t age_us, struct buf *out)
{
    buf_printf(out, "\"lag_seconds\":{\"to_elasticsearch\":%.3f,\"to_cassandra\":%.3f},",
               seconds(p->directions[0].lag_us + age_us),
               seconds(p->directions[1].lag_us + age_us));
    buf_printf(out, "\"rate_per_second\":{\"to_elasticsearch\":%.3f,\"to_cassandra\":%.3f}",
               p->directions[0].rate, p->directions[1].rate);
}

static void append_letters(const struct status_pipeline *p, struct buf *out)
{
    buf_append_str(out, "\"letters\":[");
    for (size_t i = 0; i < p->letter_count; i++) {
        const struct status_letter *l = &p->letters[i];
        buf_append_str(out, i ? ",{" : "{");
        append_text("key", l->key, out);
        buf_printf(out, ",\"version\":%lld,\"direction\":\"%s\",", (long long)l->version,
                   directions[l->direction]);
        append_text("rule", l->rule, out);
        buf_append_char(out, ',');
        append_text("reason", l->reason, out);
        buf_append_char(out, ',');
        append_time("since", l->at_us, out);
        buf_append_char(out, '}');
    }
    buf_append_char(out, ']');
}

static void append_verify(const struct status_verify *v, int64_t now_us, struct buf *out)
{
    if (!v->at_us) {
        buf_append_str(out, "\"last_verify\":null");
        return;
    }
    buf_append_str(out, "\"last_verify\":{");
    append_time("at", v->at_us, out);
    buf_printf(out, ",\"seconds_ago\":%.1f,\"compared\":%lld,\"mended\":%lld,\"differences\":%lld,",
               now_us > v->at_us ? seconds(now_us - v->at_us) : 0.0, (long long)v->compared,
               (long long)v->mended, (long long)v->differences);
    if (v->failed)
        append_text("failure", v->why, out);
    else
        buf_append_str(out, "\"failure\":null");
    buf_append_char(out, '}');
}

static void append_history(const struct status_history *h, struct buf *out)
{
    buf_printf(out, "\"history\":{\"step_seconds\":%d", STATUS_HISTORY_STEP_S);
    for (size_t way = 0; way < ARRAY_LEN(directions); way++) {
        buf_printf(out, ",\"%s\":{\"lag_seconds\":[", directions[way]);
        for (size_t i = 0; i < h->count; i++)
            buf_printf(out, "%s%.3g", i ? "," : "", (double)h->points[i][way].lag_s);
        buf_append_str(out, "],\"rate_per_second\":[");
        for (size_t i = 0; i < h->count; i++)
            buf_printf(out, "%s%.3g", i ? "," : "", (double)h->points[i][way].rate);
        buf_append_str(out, "]}");
    }
    buf_append_char(out, '}');
}

static void append_state(const struct status_verdict *v, struct buf *out)
{
    buf_printf(out, "\"state\":{\"name\":\"%s\",\"level\":\"%s\",", status_state_name(v->state),
               status_level_name(v->level));
    append_text("text", v->text, out);
    buf_append_char(out, ',');
    append_time("since", v->since_us, out);
    buf_append_char(out, '}');
}

static const char *paused_by(const struct status_pipeline *p)
{
    return p->paused_us ? "\"operator\"" : p->full ? "\"dead_letters\"" : "null";
}

static void append_pipeline(const struct status_snapshot *s, const struct status_pipeline *p,
                            int64_t age_us, struct buf *out)
{
    const int64_t now_us = s->taken_us + age_us;
    struct status_verdict v;
    status_judge(s, p, age_us, &v);
    buf_append_char(out, '{');
    append_text("name", p->name, out);
    buf_printf(out, ",\"healthy\":%s,\"ready\":%s,", word(v.healthy), word(v.ready));
    append_text("not_ready", v.obstacle, out);
    buf_append_char(out, ',');
    append_state(&v, out);
    buf_printf(out, ",\"cycles\":%lld,", (long long)p->cycles);
    if (p->completed_us)
        buf_printf(out, "\"last_cycle_seconds_ago\":%.1f,",
                   now_us > p->completed_us ? seconds(now_us - p->completed_us) : 0.0);
    else
        buf_append_str(out, "\"last_cycle_seconds_ago\":null,");
    append_failure(p->failing_since_us, p->failure, now_us, out);
    buf_append_char(out, ',');
    append_servers(p, now_us, out);
    buf_append_char(out, ',');
    append_lags(p, age_us, out);
    buf_printf(out,
               ",\"highest_version\":{\"elasticsearch\":%lld,\"cassandra\":%lld},"
               "\"dead_letters\":%lld,\"gap\":%s,\"paused\":%s,\"paused_by\":%s,",
               (long long)p->servers[METRIC_ELASTICSEARCH].checkpoint,
               (long long)p->servers[METRIC_CASSANDRA].checkpoint, (long long)p->dead_letters,
               word(p->gap), word(p->full || p->paused_us), paused_by(p));
    for (size_t way = 0; way < ARRAY_LEN(directions); way++) {
        status_json_counts(directions[way], &p->directions[way].counts, out);
        buf_append_char(out, ',');
    }
    append_letters(p, out);
    buf_append_char(out, ',');
    append_verify(&p->verify, now_us, out);
    buf_append_char(out, ',');
    append_history(&p->history, out);
    buf_append_char(out, '}');
}

void status_json(const struct status_snapshot *s, int64_t age_us, struct buf *out)
{
    const int64_t now_us = s->taken_us + age_us;
    struct status_verdict all;
    status_judge_all(s, age_us, &all);
    buf_printf(out, "{\"running\":true,\"healthy\":%s,\"ready\":%s,\"pid\":%d,\"version\":\"%s\",",
               word(all.healthy), word(all.ready), s->pid, CAES_VERSION);
    buf_printf(out, "\"time\":%.3f,\"uptime_seconds\":%lld,", seconds(now_us),
               (long long)((now_us - s->started_us) / 1000000));
    append_text("configuration", s->configuration, out);
    buf_append_char(out, ',');
    append_text("state", s->state, out);
    buf_append_str(out, ",\"pipelines\":[");
    for (size_t i = 0; i < s->count; i++) {
        buf_append_str(out, i ? "," : "");
        append_pipeline(s, &s->pipelines[i], age_us, out);
    }
    buf_append_str(out, "]}");
}
