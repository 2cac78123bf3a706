#include "app/command.h"

#include "app/plain.h"
#include "app/progress.h"
#include "app/session.h"
#include "app/signals.h"
#include "app/size.h"
#include "app/synced.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

enum { KEYS_MAX = 1000, KEYS_SHOWN = 10 };

/* What is shown and kept of the differences. */
struct view {
    bool json;
    struct progress progress;
    struct buf keys;  /* the first, as JSON, separated by commas */
    struct buf lines; /* the first of each kind, for people */
    int64_t count, of_kind[JOB_KIND_COUNT];
    FILE *to; /* --keys-to */
};

static void words(const struct json_node *p, struct buf *out)
{
    plain_append_member(out, p, "phase");
    buf_append_str(out, ": ");
    progress_append_count(out, progress_number(p, "documents"));
    buf_append_str(out, " documents, ");
    progress_append_count(out, progress_number(p, "rows"));
    buf_append_str(out, " rows, ");
    progress_append_count(out, progress_number(p, "differences"));
    buf_append_str(out, " differ, ");
    progress_append_count(out, progress_number(p, "in_doubt"));
    buf_printf(out, " in doubt, %.0f s", progress_real(p, "seconds"));
}

static void on_line(void *ctx, struct slice line)
{
    struct view *v = ctx;
    progress_line(&v->progress, line);
}

static void append_version(struct buf *out, int64_t version)
{
    if (version)
        buf_printf(out, "%lld", (long long)version);
    else
        buf_append_char(out, '-');
}

static void on_found(void *ctx, const struct job_difference *d)
{
    struct view *v = ctx;
    struct buf line = {0};
    job_difference_append(&line, d);
    if (v->to)
        fprintf(v->to, "%.*s\n", SLICE_ARG(buf_slice(&line)));
    if (v->count++ < KEYS_MAX) {
        if (v->keys.len)
            buf_append_char(&v->keys, ',');
        buf_append_slice(&v->keys, buf_slice(&line));
    }
    buf_free(&line);
    if (v->of_kind[d->kind]++ >= KEYS_SHOWN)
        return;
    buf_printf(&v->lines, "  %-26s ", job_kind_text(d->kind));
    plain_append(&v->lines, d->key);
    buf_append_str(&v->lines, "  Elasticsearch ");
    append_version(&v->lines, d->elasticsearch_version);
    buf_append_str(&v->lines, ", Cassandra ");
    append_version(&v->lines, d->cassandra_version);
    buf_append_char(&v->lines, '\n');
}

static int64_t differences(const struct job_verify_report *r)
{
    int64_t sum = 0;
    for (int i = 0; i < JOB_KIND_COUNT; i++)
        sum += r->kinds[i];
    return sum;
}

/* Of a sample without a difference: 95 times out of 100 no more than this share of all records
 * differs (the rule of three; with differences the upper end of their share, roughly). */
static double share_at_most(const struct job_verify_report *r)
{
    if (r->compared == 0)
        return 1.0;
    const double n = (double)r->compared, d = (double)differences(r);
    double share = d == 0.0 ? 3.0 / n : (d + 2.0 + 1.65 * __builtin_sqrt(d + 1.0)) / n;
    return share > 1.0 ? 1.0 : share;
}

static void report(const struct view *v, const struct job_verify *o,
                   const struct job_verify_report *r, struct buf *out)
{
    if (v->json) {
        buf_append_char(out, '{');
        job_verify_append(out, r);
        if (o->sample)
            buf_printf(out, ",\"share_at_most\":%.6f,\"confidence\":0.95", share_at_most(r));
        buf_printf(out, ",\"keys\":[%.*s]}\n", SLICE_ARG(buf_slice(&v->keys)));
        return;
    }
    progress_append_count(out, r->compared);
    buf_append_str(out, " records compared, ");
    progress_append_count(out, r->equal);
    buf_printf(out, " are equal (%.1f s)\n", r->seconds);
    for (int i = 0; i < JOB_KIND_COUNT; i++) {
        if (r->kinds[i] == 0)
            continue;
        buf_printf(out, "%8lld %s\n", (long long)r->kinds[i], job_kind_text((enum job_kind)i));
    }
    if (r->still_changing)
        buf_printf(out, "%8lld still changing: never at rest for long enough to be compared\n",
                   (long long)r->still_changing);
    buf_append_slice(out, buf_slice(&v->lines));
    if (v->count > KEYS_SHOWN && !v->to)
        buf_append_str(out, "  (--keys-to FILE writes all of them)\n");
    if (o->sample)
        buf_printf(out, "a sample: with 95 %% confidence at most %.3f %% of all records differ\n",
                   share_at_most(r) * 100.0);
}

static bool read_options(const struct command_line *line, struct job_verify *o, struct err *err)
{
    *o = (struct job_verify){
        .low = INT64_MIN, .high = INT64_MAX, .since = line->since, .memory = 64 << 20};
    return count_option(line->values[OPT_RATE], "--rate", &o->rate, err) &&
           count_option(line->values[OPT_SAMPLE], "--sample", &o->sample, err) &&
           size_option(line->values[OPT_MEMORY], "--memory", &o->memory, err) &&
           range_option(line->values[OPT_RANGE], &o->low, &o->high, err);
}

static bool open_keys(const struct command_line *line, struct view *v, struct err *err)
{
    const char *path = line->values[OPT_KEYS_TO];
    if (!path)
        return true;
    const int fd = open(path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);
    v->to = fd >= 0 ? fdopen(fd, "w") : NULL;
    return v->to || err_set(err, ERR_CONFIG, "--keys-to %.200s: %s", path, strerror(errno));
}

static bool close_keys(struct view *v, struct err *err)
{
    const bool bad = v->to && ferror(v->to);
    const bool fine = !v->to || (fclose(v->to) == 0 && !bad);
    v->to = NULL;
    return fine || err_set(err, ERR_STATE, "--keys-to can't be written: %s", strerror(errno));
}

/* It compares without that, too. */
static void ask_synced(const struct command_line *line, struct view *v, struct job_synced *synced)
{
    struct err err = {0};
    struct buf text = {0};
    if (synced_ask(line, synced, &err))
        return;
    buf_printf(&text, "can't tell what was deleted in Elasticsearch from what was never copied: %s",
               err.text);
    progress_note(&v->progress, buf_slice(&text));
    buf_free(&text);
    synced->from = 0;
}

enum exit_code cmd_verify(const struct command_line *line)
{
    struct session s = {0};
    struct err err = {0};
    struct view v = {.json = line->values[OPT_JSON] != NULL};
    struct job_verify o;
    struct job_synced synced = {0};
    struct job_verify_report r = {0};
    struct buf out = {0};
    progress_open(&v.progress, v.json, words);
    bool fine = read_options(line, &o, &err) && session_open(&s, line, &err);
    if (fine)
        ask_synced(line, &v, &synced);
    fine = fine && session_log(&s, &err) && session_loop(&s, &err) &&
           session_engine(&s, false, &err) && open_keys(line, &v, &err);
    if (fine) {
        o.synced = &synced;
        struct signals *signals = signals_stop(s.loop, s.engines, 1);
        o.found = on_found;
        o.line = on_line;
        o.ctx = &v;
        fine = engine_verify(s.engines[0], &o, &r, &err);
        signals_close(signals);
    }
    session_close(&s);
    job_synced_close(&synced);
    progress_close(&v.progress);
    fine = close_keys(&v, &err) && fine;
    if (fine)
        report(&v, &o, &r, &out);
    buf_free(&v.keys);
    buf_free(&v.lines);
    command_print(&out);
    return !fine ? command_fail(&err) : differences(&r) ? EXIT_FOUND : EXIT_DONE;
}
