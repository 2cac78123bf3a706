#include "job/dead_letters.h"

#include "base/clock.h"
#include "base/json.h"
#include "store/dead_letter.h"

enum { PAGE = 200, RETRIES = 3, STATEMENTS = 10 };

/* JSON as it was stored; the line breaks between its parts would end our line. */
static void append_payload(struct buf *out, struct slice payload)
{
    if (payload.len == 0) {
        buf_append_str(out, "null");
        return;
    }
    for (size_t i = 0; i < payload.len; i++) {
        if (payload.ptr[i] != '\n' && payload.ptr[i] != '\r')
            buf_append_char(out, payload.ptr[i]);
    }
}

/* Members, without braces. */
static void append_letter(struct buf *out, const struct store_dead_letter *l, bool payload)
{
    json_append_member(out, "key", l->key);
    buf_printf(out, ",\"version\":%lld,\"direction\":\"%s\",", (long long)l->version,
               l->target == CHANGE_CASSANDRA ? "to_cassandra" : "to_elasticsearch");
    json_append_member(out, "rule", slice_str(l->rule));
    buf_append_char(out, ',');
    json_append_member(out, "reason", slice_str(l->reason));
    buf_printf(out, ",\"since\":%.3f", (double)l->at / 1e6);
    if (!payload)
        return;
    buf_append_str(out, ",\"payload\":");
    append_payload(out, l->payload);
}

/* One page as lines, kept until no statement is open any more: saying them may wait. */
struct page {
    struct buf text;
    size_t ends[PAGE];
    uint32_t count;
    struct store_dead_letter last;
    struct buf last_key;
};

static bool keep_letter(void *ctx, const struct store_dead_letter *l)
{
    struct page *page = ctx;
    buf_append_str(&page->text, "{\"item\":{");
    append_letter(&page->text, l, false);
    buf_append_str(&page->text, "}}");
    page->ends[page->count++] = page->text.len;
    buf_clear(&page->last_key);
    buf_append_slice(&page->last_key, l->key);
    page->last = *l;
    page->last.key = slice_of(buf_cstr(&page->last_key), page->last_key.len);
    return true;
}

static bool say_page(const struct job_dead_letters *o, struct page *page, bool first,
                     struct err *err)
{
    page->count = 0;
    buf_clear(&page->text);
    if (!store_dead_page(o->store, pipeline_id(o->pipeline), first ? NULL : &page->last, PAGE,
                         keep_letter, page, err))
        return false;
    size_t from = 0;
    for (uint32_t i = 0; i < page->count; i++) {
        o->line(o->ctx, slice_of(page->text.ptr + from, page->ends[i] - from));
        from = page->ends[i];
    }
    return !o->stop->raised || err_set(err, ERR_CANCELLED, "stopped");
}

bool job_dead_letters_list(const struct job_dead_letters *o, struct buf *result, struct err *err)
{
    struct page page = {.count = 0};
    int64_t total = 0;
    bool fine;
    do {
        fine = say_page(o, &page, total == 0, err);
        total += page.count;
    } while (fine && page.count > 0);
    buf_free(&page.text);
    buf_free(&page.last_key);
    if (fine)
        buf_printf(result, "{\"count\":%lld}", (long long)total);
    return fine;
}

static bool show_letter(void *ctx, const struct store_dead_letter *l)
{
    struct buf *out = ctx;
    buf_append_str(out, out->ptr[out->len - 1] == '[' ? "{" : ",{");
    append_letter(out, l, true);
    buf_append_char(out, '}');
    return true;
}

bool job_dead_letters_show(const struct job_dead_letters *o, struct slice key, struct buf *result,
                           struct err *err)
{
    buf_append_char(result, '{');
    json_append_member(result, "key", key);
    buf_append_str(result, ",\"dead_letters\":[");
    if (!store_dead_of_key(o->store, pipeline_id(o->pipeline), key, show_letter, result, err))
        return false;
    buf_append_str(result, "]}");
    return true;
}

static int64_t left(const struct job_dead_letters *o)
{
    struct pipeline_status status;
    pipeline_status(o->pipeline, &status);
    return status.dead_letters;
}

static bool count_letter(void *ctx, const struct store_dead_letter *l)
{
    (void)l;
    ++*(int64_t *)ctx;
    return true;
}

/* Those of key (null: all). */
static bool count(const struct job_dead_letters *o, struct slice key, int64_t *letters,
                  struct err *err)
{
    *letters = 0;
    const int64_t pipeline = pipeline_id(o->pipeline);
    return slice_is_null(key)
               ? store_dead_count(o->store, pipeline, letters, err)
               : store_dead_of_key(o->store, pipeline, key, count_letter, letters, err);
}

/* The table may have been made anew to mend the cause: each statement that was prepared for the old
 * one fails once. */
static bool retry_all(const struct job_dead_letters *o, struct pipeline_retry *retry,
                      struct err *err)
{
    struct err failed = {0};
    bool fine = false;
    for (int i = 0; !fine && i < STATEMENTS; i++) {
        struct pipeline_report report;
        io_lock_take(o->lock);
        fine = pipeline_retry(o->pipeline, retry, o->stop, &report, &failed);
        io_lock_give(o->lock);
        if (!fine && failed.code != ERR_SCHEMA)
            break;
    }
    if (!fine && err)
        *err = failed;
    return fine;
}

bool job_dead_letters_retry(const struct job_dead_letters *o, struct slice key, struct buf *result,
                            struct err *err)
{
    struct pipeline_retry retry = {.key = key};
    int64_t before, after;
    bool fine = count(o, key, &before, err);
    for (int i = 0; fine && i < RETRIES; i++) {
        fine = retry_all(o, &retry, err);
        if (!fine || retry.put_off == 0)
            break;
        if (io_sleep(o->loop, o->settle_ms + 50, o->stop))
            fine = err_set(err, ERR_CANCELLED, "stopped");
    }
    if (!fine || !count(o, key, &after, err))
        return false;
    buf_printf(result, "{\"tried\":%lld,\"settled\":%lld,\"left\":%lld}", (long long)before,
               (long long)(before > after ? before - after : 0), (long long)after);
    return true;
}

bool job_dead_letters_purge(const struct job_dead_letters *o, struct slice key, struct buf *result,
                            struct err *err)
{
    int64_t purged = 0;
    io_lock_take(o->lock);
    const bool fine = pipeline_purge(o->pipeline, key, &purged, err);
    io_lock_give(o->lock);
    if (fine)
        buf_printf(result, "{\"purged\":%lld,\"left\":%lld}", (long long)purged,
                   (long long)left(o));
    return fine;
}
