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

static bool sync_once(struct session *s, struct pipeline_report *report, struct err *err)
{
    struct signals *signals = signals_stop(s->loop, s->engine);
    const bool fine = engine_sync(s->engine, report, err);
    signals_close(signals);
    return fine;
}

enum exit_code cmd_sync(const struct command_line *line)
{
    struct session s;
    struct err err = {0};
    struct pipeline_report report = {0};
    bool ready = session_open(&s, line, &err) && session_lock(&s, &err) && session_log(&s, &err) &&
                 session_loop(&s, &err) && session_engine(&s, true, &err);
    bool fine = ready && sync_once(&s, &report, &err);
    session_close(&s);
    if (ready) {
        struct buf out = {0};
        if (line->values[OPT_JSON])
            report_json(&report, &out);
        else
            report_text(&report, &out);
        command_print(&out);
    }
    if (!fine)
        return command_fail(&err);
    return report.gap || report.to_elasticsearch.dead || report.to_cassandra.dead ? EXIT_FOUND
                                                                                  : EXIT_DONE;
}
