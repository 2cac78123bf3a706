#include "app/command.h"

#include "app/plain.h"
#include "app/progress.h"
#include "app/remote.h"
#include "app/size.h"

#include <stdio.h>
#include <string.h>

struct view {
    bool json;
    struct progress progress;
    struct json_doc *doc;
};

/* "12.3 MB" */
static void append_bytes(struct buf *out, int64_t bytes)
{
    static const char *const units[] = {"B", "KB", "MB", "GB", "TB"};
    double value = (double)bytes;
    size_t unit = 0;
    for (; value >= 1000.0 && unit + 1 < sizeof units / sizeof *units; unit++)
        value /= 1000.0;
    buf_printf(out, unit ? "%.1f %s" : "%.0f %s", value, units[unit]);
}

static void append_left(struct buf *out, const char *before, double seconds)
{
    buf_append_str(out, before);
    if (seconds >= 3600.0)
        buf_printf(out, "%.0f h %.0f min left", (double)(int)(seconds / 3600.0),
                   (double)((int)(seconds / 60.0) % 60));
    else if (seconds >= 60.0)
        buf_printf(out, "%.0f min left", seconds / 60.0);
    else
        buf_printf(out, "%.0f s left", seconds);
}

static void words(const struct json_node *p, struct buf *out)
{
    const double seconds = progress_real(p, "seconds");
    plain_append_member(out, p, "phase");
    buf_append_str(out, ": ");
    progress_append_count(out, progress_number(p, "records"));
    buf_append_str(out, " records, ");
    progress_append_count(out, progress_number(p, "rate"));
    buf_append_str(out, "/s, ");
    append_bytes(out, progress_number(p, "bytes"));
    buf_printf(out, ", %.0f %%", progress_real(p, "share") * 100.0);
    if (json_member(p, "left_s"))
        append_left(out, ", ", progress_real(p, "left_s"));
    if (progress_number(p, "dead") > 0)
        buf_printf(out, ", %lld dead", (long long)progress_number(p, "dead"));
    const struct json_node *waited = json_member(p, "waited_s");
    buf_printf(out, ", waited %.0f s for Cassandra, %.0f s for Elasticsearch, %.0f s",
               progress_real(waited, "cassandra"), progress_real(waited, "elasticsearch"), seconds);
}

/* What has to fit behind the bar. */
static void short_words(const struct json_node *p, struct buf *out)
{
    const struct json_node *waited = json_member(p, "waited_s");
    const struct json_node *phase = json_member(p, "phase");
    if (phase && !slice_is(phase->text, "copy")) {
        plain_append_member(out, p, "phase");
        buf_append_str(out, ": ");
    }
    progress_append_count(out, progress_number(p, "records"));
    buf_append_str(out, " records ");
    progress_append_count(out, progress_number(p, "rate"));
    buf_append_str(out, "/s ");
    append_bytes(out, progress_number(p, "bytes"));
    if (json_member(p, "left_s"))
        append_left(out, " ", progress_real(p, "left_s"));
    if (progress_number(p, "dead") > 0)
        buf_printf(out, " %lld dead", (long long)progress_number(p, "dead"));
    buf_printf(out, " C* %.0f s ES %.0f s", progress_real(waited, "cassandra"),
               progress_real(waited, "elasticsearch"));
}

static void on_line(void *ctx, struct slice line)
{
    struct view *v = ctx;
    const struct json_node *progress =
        json_parse(v->doc, line, false, NULL) ? json_member(json_root(v->doc), "progress") : NULL;
    const struct json_node *note = progress ? json_member(progress, "note") : NULL;
    if (!note || v->json)
        progress_line(&v->progress, line);
    else
        progress_note(&v->progress, note->text);
}

static bool append_request(const struct command_line *line, struct buf *out, struct err *err)
{
    const char *from = line->values[OPT_FROM];
    int64_t rate = 0;
    if (!from || (strcmp(from, "cassandra") != 0 && strcmp(from, "elasticsearch") != 0))
        return err_set(err, ERR_CONFIG, "load --from what? cassandra or elasticsearch");
    if (line->values[OPT_RELAX] && strcmp(from, "cassandra") != 0)
        return err_set(err, ERR_CONFIG, "--relax is for loads into the index, --from cassandra");
    if (!count_option(line->values[OPT_RATE], "--rate", &rate, err))
        return false;
    buf_printf(out,
               "{\"command\":\"load\",\"from\":\"%s\",\"resume\":%s,\"relax\":%s,\"rate\":%lld}",
               from, line->values[OPT_RESUME] ? "true" : "false",
               line->values[OPT_RELAX] ? "true" : "false", (long long)rate);
    return true;
}

static void append_sum(struct buf *out, const struct json_node *r, const char *name,
                       const char *text)
{
    const int64_t count = progress_number(r, name);
    if (count == 0)
        return;
    buf_append_str(out, ", ");
    progress_append_count(out, count);
    buf_printf(out, " %s", text);
}

static void append_text(struct buf *out, const struct json_node *r)
{
    const double seconds = progress_real(r, "seconds");
    progress_append_count(out, progress_number(r, "records"));
    buf_append_str(out, " records: ");
    progress_append_count(out, progress_number(r, "copied"));
    buf_append_str(out, " copied");
    append_sum(out, r, "deleted", "deleted");
    append_sum(out, r, "unchanged", "equal already");
    append_sum(out, r, "superseded", "newer there");
    append_sum(out, r, "skipped", "left to the sync");
    append_sum(out, r, "dead", "dead letters");
    append_sum(out, r, "dead_before", "dead letters of before");
    append_sum(out, r, "left_out", "left out for want of a version");
    buf_append_str(out, " (");
    append_bytes(out, progress_number(r, "bytes"));
    buf_printf(out, ", %.1f s, %.0f/s)\n", seconds,
               seconds > 0.0 ? (double)progress_number(r, "records") / seconds : 0.0);
}

static enum exit_code show(struct view *v, struct slice result, struct err *err)
{
    struct buf out = {0};
    if (!json_parse(v->doc, result, false, err))
        return EXIT_STATE;
    if (v->json)
        buf_printf(&out, "%.*s\n", SLICE_ARG(result));
    else
        append_text(&out, json_root(v->doc));
    const bool found = progress_number(json_root(v->doc), "dead") > 0 ||
                       progress_number(json_root(v->doc), "dead_before") > 0 ||
                       progress_number(json_root(v->doc), "left_out") > 0;
    command_print(&out);
    return found ? EXIT_FOUND : EXIT_DONE;
}

enum exit_code cmd_load(const struct command_line *line)
{
    struct session s = {0};
    struct err err = {0};
    struct view v = {.json = line->values[OPT_JSON] != NULL, .doc = json_doc_new()};
    struct buf request = {0}, result = {0};
    enum exit_code code = EXIT_DONE;
    progress_open(&v.progress, v.json, words);
    if (v.progress.terminal)
        v.progress.words = short_words;
    const bool fine = append_request(line, &request, &err) && session_open(&s, line, &err) &&
                      remote_run(&s, buf_slice(&request), on_line, &v, &result, &err);
    session_close(&s);
    progress_close(&v.progress);
    if (fine)
        code = show(&v, buf_slice(&result), &err);
    json_doc_free(v.doc);
    buf_free(&request);
    buf_free(&result);
    return fine ? code : command_fail(&err);
}
