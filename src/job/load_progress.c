#include "base/json.h"
#include "job/load_internal.h"

#include <stdarg.h>
#include <stdio.h>

enum { STEPS = 24 };

void load_tell(struct load *l)
{
    const struct job_load_report *r = l->report;
    const double seconds = job_pace_seconds(&l->pace), share = load_share(l);
    const double done = share - l->share_before;
    if (!l->o->line)
        return;
    buf_clear(&l->text);
    buf_printf(&l->text,
               "{\"progress\":{\"phase\":\"%s\",\"share\":%.4f,\"records\":%lld,\"copied\":%lld,"
               "\"rate\":%.0f,\"bytes\":%lld,\"dead\":%lld,",
               l->phase, share, (long long)r->records, (long long)r->copied,
               seconds > 0.0 ? (double)r->records / seconds : 0.0, (long long)r->bytes,
               (long long)r->dead);
    if (done > 0.001)
        buf_printf(&l->text, "\"left_s\":%.0f,", (1.0 - share) / done * seconds);
    buf_printf(
        &l->text, "\"waited_s\":{\"cassandra\":%.1f,\"elasticsearch\":%.1f},\"seconds\":%.1f}}",
        (double)l->cassandra.waited_us / 1e6, (double)l->elasticsearch.waited_us / 1e6, seconds);
    l->o->line(l->o->ctx, buf_slice(&l->text));
}

struct noting {
    struct load *home;
    char text[400];
};

static void note(void *ctx)
{
    const struct noting *n = ctx;
    struct load *l = n->home;
    buf_clear(&l->text);
    buf_append_str(&l->text, "{\"progress\":{");
    json_append_member(&l->text, "note", slice_str(n->text));
    buf_append_str(&l->text, "}}");
    l->o->line(l->o->ctx, buf_slice(&l->text));
}

void load_note(struct load *l, const char *fmt, ...)
{
    struct noting n = {.home = load_home(l)};
    va_list args;
    va_start(args, fmt);
    vsnprintf(n.text, sizeof n.text, fmt, args);
    va_end(args);
    if (l->o->line)
        load_at_home(l, note, &n);
}

struct paying {
    struct load *home;
    int64_t count;
    bool stopped;
};

static void pay(void *ctx)
{
    struct paying *p = ctx;
    job_pace_wait(&p->home->pace, p->count);
    p->stopped = p->home->o->stop->raised || p->home->failed;
}

bool load_goes_on(struct load *l, int64_t count, struct err *err)
{
    struct paying p = {.home = load_home(l), .count = count};
    load_at_home(l, pay, &p);
    return !p.stopped || err_set(err, ERR_CANCELLED, "stopped; --resume goes on from there");
}

bool load_retries(struct load *l, struct job_flow *flow, struct err *err)
{
    if (l->o->stop->raised || l->failed || err->code == ERR_CANCELLED)
        return err_set(err, ERR_CANCELLED, "stopped; --resume goes on from there");
    if (err_class_of(err->code) != ERR_CLASS_RETRY)
        return false;
    if (flow->failures == 3) /* in a row: more than a hiccup */
        load_note(l, "waits: %.300s", err->text);
    return job_flow_pause(flow) ||
           err_set(err, ERR_CANCELLED, "stopped; --resume goes on from there");
}

bool load_retries_failed(struct load *l, struct job_flow *flow, struct err *err)
{
    job_flow_failed(flow, err->code);
    return load_retries(l, flow, err);
}

uint32_t load_limit(const struct load *l, uint32_t limit)
{
    const int64_t steps = STEPS * (1 + (int64_t)job_crew_count(l->o->crew));
    const int64_t rate = l->o->rate;
    if (rate > 0 && rate / steps < limit) /* several tasks run ahead by as much each */
        limit = (uint32_t)(rate / steps);
    return limit > 1 ? limit : 1;
}

void job_load_append(struct buf *out, const struct job_load *o, const struct job_load_report *r)
{
    buf_printf(out,
               "{\"from\":\"%s\",\"resumed\":%s,\"records\":%lld,\"copied\":%lld,"
               "\"deleted\":%lld,\"unchanged\":%lld,\"superseded\":%lld,\"skipped\":%lld,"
               "\"dead\":%lld,\"dead_before\":%lld,"
               "\"left_out\":%lld,\"bytes\":%lld,\"seconds\":%.3f}",
               o->from == CHANGE_CASSANDRA ? "cassandra" : "elasticsearch",
               r->resumed ? "true" : "false", (long long)r->records, (long long)r->copied,
               (long long)r->deleted, (long long)r->unchanged, (long long)r->superseded,
               (long long)r->skipped, (long long)r->dead, (long long)r->dead_before,
               (long long)r->left_out, (long long)r->bytes, r->seconds);
}

/* --- what is left of a page */

static void *grown(struct arena *arena, void *items, size_t count, size_t *room, size_t size)
{
    if (count < *room)
        return items;
    *room = *room ? 2 * *room : 16;
    void *more = arena_alloc(arena, *room * size);
    if (count)
        memcpy(more, items, count * size);
    return more;
}

void load_rest_letter(struct load *l, struct load_rest *rest, struct slice key, int64_t version,
                      const char *rule, const char *reason, struct slice payload)
{
    rest->letters = grown(&rest->arena, rest->letters, rest->letter_count, &rest->letter_room,
                          sizeof *rest->letters);
    rest->letters[rest->letter_count++] = (struct pipeline_letter){
        .key = arena_copy(&rest->arena, key),
        .version = version,
        .target = change_other(l->o->from),
        .rule = rule,
        .reason = arena_copy(&rest->arena, slice_of(reason, strlen(reason) + 1)).ptr,
        .payload = arena_copy(&rest->arena, payload),
    };
    l->report->dead++;
}

void load_rest_later(struct load_rest *rest, struct slice key)
{
    rest->later =
        grown(&rest->arena, rest->later, rest->later_count, &rest->later_room, sizeof *rest->later);
    rest->later[rest->later_count++] = arena_copy(&rest->arena, key);
}

struct burying {
    struct pipeline *pipeline;
    const struct load_rest *rest;
    struct err *err;
    bool fine;
};

static void bury(void *ctx)
{
    struct burying *b = ctx;
    b->fine = pipeline_dead_letters(b->pipeline, b->rest->letters, b->rest->letter_count, b->err);
}

bool load_rest_write_letters(struct load *l, struct load_rest *rest, struct err *err)
{
    struct burying b = {l->o->pipeline, rest, err, true};
    if (rest->letter_count > 0)
        load_at_home(l, bury, &b);
    rest->letter_count = 0;
    return b.fine;
}

void load_rest_reset(struct load_rest *rest)
{
    rest->letter_count = rest->letter_room = rest->later_count = rest->later_room = 0;
    arena_reset(&rest->arena);
}

void load_rest_free(struct load_rest *rest)
{
    arena_free(&rest->arena);
}
