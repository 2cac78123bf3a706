#include "app/status_report.h"

#include "app/plain.h"
#include "base/json.h"

#include <unistd.h>

/* Cycles may be this late before that is a sign of trouble. */
enum { LATE_CYCLES = 3, LATE_MS = 30000 };

static void append_text(const char *name, const char *value, struct buf *out)
{
    buf_printf(out, "\"%s\":", name);
    if (!json_append_string(out, slice_str(value)))
        buf_append_str(out, "null");
}

void status_report_counts(const char *name, const struct pipeline_counts *counts, struct buf *out)
{
    buf_printf(out,
               "\"%s\":{\"copied\":%lld,\"deleted\":%lld,\"superseded\":%lld,\"unchanged\":%lld,"
               "\"dead\":%lld}",
               name, (long long)counts->copied, (long long)counts->deleted,
               (long long)counts->superseded, (long long)counts->unchanged,
               (long long)counts->dead);
}

static int64_t failing(const struct engine_status *s, int64_t now_us)
{
    return s->failing_since_us ? now_us - s->failing_since_us : 0;
}

static void append_failure(const struct engine_status *s, int64_t now_us, struct buf *out)
{
    buf_append_str(out, "\"failure\":");
    if (!s->failing_since_us) {
        buf_append_str(out, "null,");
        return;
    }
    buf_printf(out, "{\"for_seconds\":%.1f,", (double)failing(s, now_us) / 1e6);
    append_text("message", s->failure.text, out);
    buf_append_str(out, "},");
}

static void append_verified(const struct engine_verified *v, int64_t now_us, struct buf *out)
{
    if (v->at_us == 0) {
        buf_append_str(out, "\"last_verify\":null,");
        return;
    }
    buf_printf(out,
               "\"last_verify\":{\"seconds_ago\":%.1f,\"compared\":%lld,\"mended\":%lld,"
               "\"differences\":%lld,\"failure\":",
               (double)(now_us - v->at_us) / 1e6, (long long)v->compared, (long long)v->mended,
               (long long)v->differences);
    if (v->failure.code == ERR_NONE || !json_append_string(out, slice_str(v->failure.text)))
        buf_append_str(out, "null");
    buf_append_str(out, "},");
}

void status_report_json(const struct status_report *report, int64_t now_us, struct buf *out)
{
    const struct config_pipeline *p = &report->config->pipelines[0];
    const struct pipeline_status *s = &report->engine.pipeline;
    const int64_t failing_us = failing(&report->engine, now_us);
    int64_t last = s->completed_us > report->started_us ? s->completed_us : report->started_us;
    int64_t late_us = (LATE_CYCLES * p->interval + LATE_MS) * 1000;
    bool healthy = now_us - last < late_us && failing_us < LATE_MS * 1000LL && !s->gap;
    const char *word = healthy ? "true" : "false";
    buf_printf(out, "{\"running\":true,\"healthy\":%s,\"pid\":%d,\"version\":\"%s\",", word,
               (int)getpid(), CAES_VERSION);
    buf_printf(out, "\"uptime_seconds\":%lld,",
               (long long)((now_us - report->started_us) / 1000000));
    append_text("configuration", report->config->file, out);
    buf_append_char(out, ',');
    append_text("state", report->config->state, out);
    buf_append_str(out, ",\"pipelines\":[{");
    append_text("name", p->name, out);
    buf_printf(out, ",\"healthy\":%s,\"cycles\":%lld,", word, (long long)s->cycles);
    if (s->completed_us)
        buf_printf(out, "\"last_cycle_seconds_ago\":%.1f,",
                   (double)(now_us - s->completed_us) / 1e6);
    else
        buf_append_str(out, "\"last_cycle_seconds_ago\":null,");
    append_failure(&report->engine, now_us, out);
    buf_printf(out,
               "\"highest_version\":{\"elasticsearch\":%lld,\"cassandra\":%lld},"
               "\"dead_letters\":%lld,\"gap\":%s,",
               (long long)s->highest_elasticsearch, (long long)s->highest_cassandra,
               (long long)s->dead_letters, s->gap ? "true" : "false");
    append_verified(&report->engine.verified, now_us, out);
    status_report_counts("to_elasticsearch", &s->to_elasticsearch, out);
    buf_append_char(out, ',');
    status_report_counts("to_cassandra", &s->to_cassandra, out);
    buf_append_str(out, "}]}");
}

static void append_members(const struct json_node *parent, struct buf *path, struct buf *out)
{
    size_t len = path->len;
    size_t index = 0;
    for (const struct json_node *n = json_first(parent); n; n = json_next(parent, n)) {
        if (parent->type == JSON_ARRAY) {
            buf_printf(path, "[%zu]", ++index);
        } else {
            buf_append_str(path, len ? "." : "");
            plain_append(path, n->key);
        }
        if (n->type == JSON_OBJECT || n->type == JSON_ARRAY) {
            append_members(n, path, out);
        } else {
            buf_append_slice(out, buf_slice(path));
            buf_append_str(out, ": ");
            plain_append(out, n->text);
            buf_append_char(out, '\n');
        }
        path->len = len;
    }
}

bool status_report_text(struct slice json, struct buf *out)
{
    struct json_doc *doc = json_doc_new();
    struct buf path = {0};
    bool fine = json_parse(doc, json, false, NULL) && json_root(doc)->type == JSON_OBJECT;
    if (fine)
        append_members(json_root(doc), &path, out);
    buf_free(&path);
    json_doc_free(doc);
    return fine;
}

bool status_report_healthy(struct slice json)
{
    struct json_doc *doc = json_doc_new();
    const struct json_node *healthy =
        json_parse(doc, json, false, NULL) ? json_member(json_root(doc), "healthy") : NULL;
    bool result = healthy && healthy->type == JSON_TRUE;
    json_doc_free(doc);
    return result;
}
