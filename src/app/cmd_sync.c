#include "app/command.h"

#include "app/session.h"
#include "app/signals.h"
#include "status/json.h"

#include <stdio.h>

static void report_text(const struct pipeline_report *r, struct buf *out)
{
    const struct pipeline_counts *to_es = &r->to_elasticsearch;
    const struct pipeline_counts *to_c = &r->to_cassandra;
    buf_printf(out,
               "to Elasticsearch: %lld copied, %lld deleted, %lld dead; to Cassandra: %lld copied, "
               "%lld deleted, %lld dead\n",
               (long long)to_es->copied, (long long)to_es->deleted, (long long)to_es->dead,
               (long long)to_c->copied, (long long)to_c->deleted, (long long)to_c->dead);
}

static void report_json(const struct pipeline_report *r, struct buf *out)
{
    buf_append_char(out, '{');
    status_json_counts("to_elasticsearch", &r->to_elasticsearch, out);
    buf_append_char(out, ',');
    status_json_counts("to_cassandra", &r->to_cassandra, out);
    buf_append_str(out, "}\n");
}

static void add_report(struct pipeline_report *sum, const struct pipeline_report *one)
{
    pipeline_counts_add(&sum->to_elasticsearch, &one->to_elasticsearch);
    pipeline_counts_add(&sum->to_cassandra, &one->to_cassandra);
    sum->gap |= one->gap;
}

/* One pipeline after the other; what one fails by, the first of them in err, is no reason to leave
 * out the others. */
static bool sync_all(const struct session *s, bool json, struct pipeline_report *sum,
                     struct err *err)
{
    struct signals *signals = signals_stop(s->loop, s->engines, s->engine_count);
    bool fine = true;
    for (size_t i = 0; i < s->engine_count; i++) {
        struct pipeline_report one = {0};
        struct err why = {0};
        struct buf text = {0};
        const bool done = engine_sync(s->engines[i], &one, &why);
        add_report(sum, &one);
        if (!done && fine)
            *err = why;
        fine = fine && done;
        if (s->engine_count > 1)
            buf_printf(&text, "%s: ", engine_settings(s->engines[i])->name);
        report_text(&one, &text);
        if (json)
            buf_free(&text);
        else
            command_print(&text);
        if (!done && why.code == ERR_CANCELLED)
            break;
    }
    signals_close(signals);
    return fine;
}

enum exit_code cmd_sync(const struct command_line *line)
{
    struct session s;
    struct err err = {0};
    struct pipeline_report report = {0};
    bool ready = session_open(&s, line, &err) && session_lock(&s, &err) && session_log(&s, &err) &&
                 session_loop(&s, &err) && session_engines(&s, true, &err);
    const bool json = line->values[OPT_JSON] != NULL;
    const bool fine = ready && sync_all(&s, json, &report, &err);
    session_close(&s);
    if (ready && json) {
        struct buf out = {0};
        report_json(&report, &out);
        command_print(&out);
    }
    if (!fine)
        return command_fail(&err);
    return report.gap || report.to_elasticsearch.dead || report.to_cassandra.dead ? EXIT_FOUND
                                                                                  : EXIT_DONE;
}
