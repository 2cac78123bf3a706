#include "base/mem.h"
#include "es/client.h"
#include "es/request.h"

#include <stdlib.h>

/* Most windows fit into one page. So the first page is a plain search, which costs the server
 * nothing to keep; only when it comes back full is a point in time (or scroll) opened and the
 * reading begun again inside of it. */

enum { PAGE_SIZE = 1000 };
#define KEEP_ALIVE "2m"

struct es_feed {
    struct es_client *client;
    struct es_feed_options options;
    enum { PLAIN, OPENING, PAGING, ENDED } stage;
    struct buf context; /* the point in time's or the scroll's id */
    struct buf after;   /* sort values of the last hit */
    es_feed_fn *opened;
    es_documents_fn *done;
    void *ctx;
};

static bool next_request(struct es_feed *feed, struct err *err);

static void on_open(void *ctx)
{
    struct es_feed *feed = ctx;
    feed->opened(feed->ctx, feed, NULL);
}

bool es_feed_open(struct es_client *client, const struct es_feed_options *options, es_feed_fn *done,
                  void *ctx, struct err *err)
{
    (void)err;
    struct es_feed *feed = mem_zalloc(sizeof *feed);
    feed->client = client;
    feed->options = *options;
    if (feed->options.page_size == 0)
        feed->options.page_size = PAGE_SIZE;
    feed->opened = done;
    feed->ctx = ctx;
    io_timer_start(client->loop, 0, on_open, feed);
    return true;
}

static void fail(struct es_feed *feed, const struct err *err)
{
    feed->done(feed->ctx, NULL, 0, err);
}

static bool keep_text(struct buf *to, const struct json_node *n)
{
    if (!n)
        return false;
    buf_clear(to);
    buf_append_slice(to, n->type == JSON_STRING ? n->text : n->raw);
    return true;
}

/* Context ids may change from page to page: the latest counts. */
static bool keep_position(struct es_feed *feed, const struct json_node *json,
                          const struct json_node *last)
{
    if (feed->stage != PAGING)
        return true;
    if (feed->client->version.snapshot == ES_SCROLL)
        return keep_text(&feed->context, json_member(json, "_scroll_id"));
    keep_text(&feed->context, json_member(json, "pit_id"));
    return !last || keep_text(&feed->after, json_member(last, "sort"));
}

static void on_page(void *ctx, const struct json_node *json, int status, const struct err *err)
{
    struct es_feed *feed = ctx;
    (void)status;
    if (err) {
        fail(feed, err);
        return;
    }
    struct err bad = {0};
    const struct json_node *hits = json_path(json, "hits.hits");
    const struct json_node *timed_out = json_member(json, "timed_out");
    const struct json_node *failed = json_path(json, "_shards.failed");
    int64_t failures = 0;
    if (failed && !json_int64(failed, &failures))
        failures = 1;
    if (!hits || hits->type != JSON_ARRAY || failures > 0 ||
        (timed_out && timed_out->type == JSON_TRUE)) {
        err_set(&bad, ERR_UNAVAILABLE, "elasticsearch could not search all of the index");
        fail(feed, &bad);
        return;
    }
    if (feed->stage == PLAIN && hits->children >= feed->options.page_size) {
        feed->stage = OPENING;
        if (!next_request(feed, &bad))
            fail(feed, &bad);
        return;
    }
    if (feed->stage == PLAIN)
        feed->stage = ENDED;
    struct es_document *documents = mem_array(hits->children + 1, sizeof *documents);
    size_t count = 0;
    bool fine = true;
    const struct json_node *last = NULL;
    for (const struct json_node *n = json_first(hits); n && fine; n = json_next(hits, n)) {
        fine = es_document_read(n, &documents[count++], &bad);
        last = n;
    }
    if (fine && !keep_position(feed, json, last))
        fine = err_set(&bad, ERR_PROTOCOL, "elasticsearch's answer to a search can't be continued");
    feed->done(feed->ctx, fine ? documents : NULL, fine ? count : 0, fine ? NULL : &bad);
    free(documents);
}

static void on_context(void *ctx, const struct json_node *json, int status, const struct err *err)
{
    struct es_feed *feed = ctx;
    (void)status;
    struct err bad = {0};
    if (err) {
        fail(feed, err);
        return;
    }
    feed->stage = PAGING;
    const bool opensearch = feed->client->version.snapshot == ES_PIT_OPENSEARCH;
    if (!keep_text(&feed->context, json_member(json, opensearch ? "pit_id" : "id")))
        err_set(&bad, ERR_PROTOCOL, "elasticsearch opens a point in time without an id");
    else if (next_request(feed, &bad))
        return;
    fail(feed, &bad);
}

static void append_query(const struct es_feed *feed, struct buf *body)
{
    const struct es_feed_options *o = &feed->options;
    if (o->all) {
        buf_append_str(body, "\"query\":{\"match_all\":{}}");
        return;
    }
    buf_append_str(body, "\"query\":{\"range\":{");
    if (!json_append_string(body, slice_str(es_timestamp_name(feed->client))))
        buf_append_str(body, "\"\"");
    buf_printf(body, ":{\"gte\":%lld", (long long)o->since);
    if (o->until > 0)
        buf_printf(body, ",\"lte\":%lld", (long long)o->until);
    buf_append_str(body, "}}}");
}

static void append_search(const struct es_feed *feed, struct buf *body)
{
    const struct es_version *v = &feed->client->version;
    buf_printf(body, "{\"size\":%u,\"version\":true,", feed->options.page_size);
    if (v->sequence_numbers)
        buf_append_str(body, "\"seq_no_primary_term\":true,\"track_total_hits\":false,");
    if (v->exclude_vectors)
        buf_append_str(body, "\"_source\":{\"exclude_vectors\":false},");
    append_query(feed, body);
}

static void append_json(struct buf *body, const struct buf *text)
{
    if (!json_append_string(body, buf_slice(text)))
        buf_append_str(body, "\"\"");
}

static bool search_in_context(struct es_feed *feed, struct err *err)
{
    struct buf body = {0};
    append_search(feed, &body);
    buf_append_str(&body, ",\"pit\":{\"id\":");
    append_json(&body, &feed->context);
    buf_printf(&body, ",\"keep_alive\":\"" KEEP_ALIVE "\"},\"sort\":[{\"%s\":\"asc\"}]",
               feed->client->version.tiebreak);
    if (feed->after.len > 0) {
        buf_append_str(&body, ",\"search_after\":");
        buf_append_slice(&body, buf_slice(&feed->after));
    }
    buf_append_char(&body, '}');
    return es_send(feed->client, "POST", "/_search", &body, false, on_page, feed, err);
}

static bool continue_scroll(struct es_feed *feed, struct err *err)
{
    struct buf body = {0};
    if (!feed->client->version.scroll_id_in_body) {
        buf_append_slice(&body, buf_slice(&feed->context));
        return es_send(feed->client, "POST", "/_search/scroll?scroll=" KEEP_ALIVE, &body, false,
                       on_page, feed, err);
    }
    buf_append_str(&body, "{\"scroll\":\"" KEEP_ALIVE "\",\"scroll_id\":");
    append_json(&body, &feed->context);
    buf_append_char(&body, '}');
    return es_send(feed->client, "POST", "/_search/scroll", &body, false, on_page, feed, err);
}

/* The search that needs no context, or the one that begins a scroll. */
static bool search_index(struct es_feed *feed, const char *parameters, struct err *err)
{
    struct buf path = {0}, body = {0};
    buf_append_str(&path, es_documents_path(feed->client));
    buf_append_str(&path, "/_search");
    buf_append_str(&path, parameters);
    append_search(feed, &body);
    if (*parameters)
        buf_append_str(&body, ",\"sort\":[\"_doc\"]");
    buf_append_char(&body, '}');
    const bool sent =
        es_send(feed->client, "POST", buf_cstr(&path), &body, false, on_page, feed, err);
    buf_free(&path);
    return sent;
}

static bool open_context(struct es_feed *feed, struct err *err)
{
    struct buf path = {0};
    buf_append_str(&path, feed->client->index_path);
    buf_append_str(&path, feed->client->version.snapshot == ES_PIT
                              ? "/_pit?keep_alive=" KEEP_ALIVE
                              : "/_search/point_in_time?keep_alive=" KEEP_ALIVE);
    const bool sent =
        es_send(feed->client, "POST", buf_cstr(&path), NULL, false, on_context, feed, err);
    buf_free(&path);
    return sent;
}

static bool next_request(struct es_feed *feed, struct err *err)
{
    const bool scroll = feed->client->version.snapshot == ES_SCROLL;
    if (feed->stage == PLAIN)
        return search_index(feed, "", err);
    if (feed->stage == OPENING && scroll) {
        feed->stage = PAGING;
        return search_index(feed, "?scroll=" KEEP_ALIVE, err);
    }
    if (feed->stage == OPENING)
        return open_context(feed, err);
    return scroll ? continue_scroll(feed, err) : search_in_context(feed, err);
}

static void on_ended(void *ctx)
{
    struct es_feed *feed = ctx;
    feed->done(feed->ctx, NULL, 0, NULL);
}

bool es_feed_next(struct es_feed *feed, es_documents_fn *done, void *ctx, struct err *err)
{
    feed->done = done;
    feed->ctx = ctx;
    if (feed->stage == ENDED) {
        io_timer_start(feed->client->loop, 0, on_ended, feed);
        return true;
    }
    return next_request(feed, err);
}

/* It ends by itself after its keep-alive: a failure is no harm. */
static void on_discarded(void *ctx, const struct json_node *json, int status, const struct err *err)
{
    struct es_client *client = ctx;
    (void)json;
    (void)status;
    if (err)
        log_debug(client->log, "closing a search context: %s", err->text);
}

static void discard_context(struct es_feed *feed)
{
    struct buf body = {0};
    const char *path = "/_pit";
    const struct es_version *v = &feed->client->version;
    if (v->snapshot == ES_PIT) {
        buf_append_str(&body, "{\"id\":");
        append_json(&body, &feed->context);
        buf_append_char(&body, '}');
    } else if (v->snapshot == ES_PIT_OPENSEARCH) {
        path = "/_search/point_in_time";
        buf_append_str(&body, "{\"pit_id\":[");
        append_json(&body, &feed->context);
        buf_append_str(&body, "]}");
    } else {
        path = "/_search/scroll";
        if (v->scroll_id_in_body)
            buf_append_str(&body, "{\"scroll_id\":[");
        if (v->scroll_id_in_body)
            append_json(&body, &feed->context);
        else
            buf_append_slice(&body, buf_slice(&feed->context));
        if (v->scroll_id_in_body)
            buf_append_str(&body, "]}");
    }
    struct err err = {0};
    if (!es_send(feed->client, "DELETE", path, &body, false, on_discarded, feed->client, &err))
        on_discarded(feed->client, NULL, 0, &err);
}

void es_feed_close(struct es_feed *feed)
{
    if (feed->context.len > 0)
        discard_context(feed);
    buf_free(&feed->context);
    buf_free(&feed->after);
    free(feed);
}
