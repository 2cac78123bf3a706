#include "base/mem.h"
#include "es/answer.h"
#include "es/client.h"
#include "es/feed_body.h"
#include "es/request.h"
#include "es/routing.h"

#include <stdlib.h>

/* Most windows fit into one page. So the first page is a plain search, which costs the server
 * nothing to keep; only when it comes back full is a point in time (or scroll) opened and the
 * reading begun again inside of it. */

enum { PAGE_SIZE = 1000, PAGE_MAX = 10000, PAGE_FIRST = 200, PAGE_MIN = 10, HIT_BYTES = 150 };

struct es_feed {
    struct es_client *client;
    struct es_feed_state state;
    enum { PLAIN, OPENING, PAGING, ENDED } stage;
    es_feed_fn *opened;
    es_documents_fn *done;
    void *ctx;
};

static bool next_request(struct es_feed *feed, struct err *err);
static void discard_context(struct es_feed *feed);

static bool scrolls(const struct es_feed *feed)
{
    const struct es_version *v = &feed->client->version;
    return !v->point_in_time && !v->opensearch_point_in_time;
}

static void on_open(void *ctx)
{
    struct es_feed *feed = ctx;
    feed->opened(feed->ctx, feed, NULL);
}

struct slice es_feed_moment(const struct es_feed *feed)
{
    return buf_slice(&feed->state.context);
}

bool es_feed_divides(const struct es_client *client)
{
    return client->version.point_in_time && client->version.slices_by_place;
}

bool es_feed_open(struct es_client *client, const struct es_feed_options *options, es_feed_fn *done,
                  void *ctx, struct err *err)
{
    if (options->page_size > PAGE_MAX || (options->slices > 0 && options->slice >= options->slices))
        return err_set(err, ERR_INTERNAL, "pages of %u, slice %u of %u", options->page_size,
                       options->slice, options->slices);
    struct es_feed *feed = mem_zalloc(sizeof *feed);
    feed->client = client;
    feed->state.options = *options;
    feed->state.page_size = options->page_size ? options->page_size : PAGE_SIZE;
    const uint32_t first = scrolls(feed) ? PAGE_SIZE : PAGE_FIRST;
    if (options->page_bytes && feed->state.page_size > first)
        feed->state.page_size = first;
    if (options->all || options->many || options->slices > 1)
        feed->stage = OPENING;
    if (options->moment.len > 0) {
        feed->stage = PAGING;
        buf_append_slice(&feed->state.context, options->moment);
    }
    if (options->slice > 0 && !client->version.slices)
        feed->stage = ENDED;
    feed->opened = done;
    feed->ctx = ctx;
    io_timer_start(client->loop, 0, on_open, feed);
    return true;
}

static void fail(struct es_feed *feed, const struct err *err)
{
    feed->done(feed->ctx, NULL, 0, err);
}

/* An answer too long to take is no reason to give up: half as many documents may fit; nor is a
 * refusal of pages beyond the index's max_result_window. A scroll's page size is fixed. */
static bool retry_smaller(struct es_feed *feed, int status, const struct err *err)
{
    const bool refused = status == 400 && feed->state.page_size > PAGE_SIZE;
    if ((err->code != ERR_TOO_LARGE && !refused) || feed->state.page_size == 1 ||
        (scrolls(feed) && feed->state.context.len > 0))
        return false;
    feed->state.page_size = refused ? PAGE_SIZE : feed->state.page_size / 2;
    if (refused)
        feed->state.options.page_size = PAGE_SIZE;
    if (feed->state.context.len == 0)
        feed->stage = OPENING;
    return true;
}

/* A document that is no JSON makes its page unreadable. The page is read again without any _source;
 * those are then read by id, which gets along with such documents. A scroll can't go back: it
 * begins anew. */
static bool retry_bare(struct es_feed *feed, int status)
{
    if (feed->state.bare || feed->state.options.no_source || status < 200 || status >= 300)
        return false;
    feed->state.bare = true;
    if (scrolls(feed) && feed->stage == PAGING) {
        discard_context(feed);
        feed->stage = OPENING;
    }
    return true;
}

static void on_page_error(struct es_feed *feed, int status, const struct err *err)
{
    struct err own = *err;
    if (retry_smaller(feed, status, err) || retry_bare(feed, status)) {
        if (next_request(feed, &own))
            return;
    } else if (feed->stage == PAGING && status == 404 && feed->state.context.len > 0) {
        /* The same range can be read again, in a feed of its own. */
        own.code = ERR_UNAVAILABLE;
        err_context(&own, "the feed waited too long for its next page");
    }
    fail(feed, &own);
}

/* Pages of about the same size in bytes, whatever documents are like. */
static void adapt_size(struct es_feed *feed, const struct es_document *documents, size_t count)
{
    const struct es_feed_options *o = &feed->state.options;
    uint64_t bytes = 0;
    if (!o->page_bytes || scrolls(feed) || count == 0)
        return;
    for (size_t i = 0; i < count; i++)
        bytes += (documents[i].source ? documents[i].source->raw.len : 0) + HIT_BYTES;
    uint64_t size = o->page_bytes / (bytes / count + 1),
             most = o->page_size ? o->page_size : PAGE_SIZE;
    if (most > 4 * (uint64_t)feed->state.page_size)
        most = 4 * (uint64_t)feed->state.page_size;
    size = size < PAGE_MIN ? PAGE_MIN : size;
    feed->state.page_size = (uint32_t)(size < most ? size : most);
}

static void hand_out(struct es_feed *feed, const struct json_node *hits, struct err *err)
{
    struct es_document *documents = mem_array(hits->children + 1, sizeof *documents);
    size_t count = 0;
    bool fine = true;
    for (const struct json_node *n = json_first(hits); n && fine; n = json_next(hits, n))
        fine = es_hit_read(n, &documents[count++], err);
    if (!fine)
        es_blame(feed->client, err);
    if (fine) {
        es_notice_routing(feed->client, documents, count);
        adapt_size(feed, documents, count);
    }
    feed->done(feed->ctx, fine ? documents : NULL, fine ? count : 0, fine ? NULL : err);
    free(documents);
}

/* Those that are gone since the page was made are left out; an empty page would be the end. */
static void on_sources(void *ctx, const struct es_document *documents, size_t count,
                       const struct err *err)
{
    struct es_feed *feed = ctx;
    struct err bad = {0};
    if (err) {
        fail(feed, err);
        return;
    }
    struct es_document *found = mem_array(count, sizeof *found);
    size_t found_count = 0;
    for (size_t i = 0; i < count; i++)
        if (documents[i].found)
            found[found_count++] = documents[i];
    if (found_count > 0 || feed->stage == ENDED)
        feed->done(feed->ctx, found, found_count, NULL);
    else if (!next_request(feed, &bad))
        fail(feed, &bad);
    free(found);
}

static void read_sources(struct es_feed *feed, const struct json_node *hits)
{
    struct slice *ids = mem_array(hits->children, sizeof *ids);
    struct es_document document;
    struct err err = {0};
    size_t count = 0;
    bool fine = true;
    for (const struct json_node *n = json_first(hits); n && fine; n = json_next(hits, n)) {
        fine = es_hit_read(n, &document, &err);
        if (fine)
            es_notice_routing(feed->client, &document, 1);
        ids[count++] = document.id;
    }
    if (!fine)
        es_blame(feed->client, &err);
    feed->state.bare = scrolls(feed);
    if (!fine || !es_mget(feed->client, ids, count, on_sources, feed, &err))
        fail(feed, &err);
    free(ids);
}

static void on_page(void *ctx, const struct json_node *json, int status, const struct err *err)
{
    struct es_feed *feed = ctx;
    struct err bad = {0};
    if (err) {
        on_page_error(feed, status, err);
        return;
    }
    const struct json_node *hits = es_hits(json, &bad);
    if (!hits) {
        es_blame(feed->client, &bad);
        fail(feed, &bad);
        return;
    }
    const bool full = hits->children >= feed->state.page_size;
    if (feed->stage == PLAIN && full) {
        feed->stage = OPENING;
        if (!next_request(feed, &bad))
            fail(feed, &bad);
        return;
    }
    if (feed->stage == PAGING && !es_feed_keep_position(&feed->state, json, hits, scrolls(feed))) {
        err_set(&bad, ERR_PROTOCOL, "elasticsearch's answer to a search can't be continued");
        fail(feed, &bad);
        return;
    }
    if (!full)
        feed->stage = ENDED;
    if (feed->state.bare && hits->children > 0)
        read_sources(feed, hits);
    else
        hand_out(feed, hits, &bad);
}

static void on_context(void *ctx, const struct json_node *json, int status UNUSED,
                       const struct err *err)
{
    struct es_feed *feed = ctx;
    struct err bad = {0};
    if (err) {
        fail(feed, err);
        return;
    }
    feed->stage = PAGING;
    if (!es_feed_keep_context(&feed->state, json, feed->client->version.point_in_time))
        err_set(&bad, ERR_PROTOCOL, "elasticsearch opens a point in time without an id");
    else if (next_request(feed, &bad))
        return;
    fail(feed, &bad);
}

/* parameters: "" for the search that needs no context, or what begins a scroll. */
static bool search_index(struct es_feed *feed, const char *parameters, struct err *err)
{
    struct buf path = {0}, body = {0};
    buf_append_str(&path, es_documents_path(feed->client));
    buf_append_str(&path, "/_search");
    buf_append_str(&path, parameters);
    es_feed_search_body(&feed->state, feed->client, *parameters != '\0', &body);
    const bool sent =
        es_send(feed->client, "POST", buf_cstr(&path), &body, ES_JSON, on_page, feed, err);
    buf_free(&path);
    return sent;
}

static bool open_context(struct es_feed *feed, struct err *err)
{
    struct buf path = {0};
    buf_append_str(&path, feed->client->index_path);
    buf_append_str(&path, feed->client->version.point_in_time
                              ? "/_pit?keep_alive=" ES_FEED_KEEP_ALIVE
                              : "/_search/point_in_time?keep_alive=" ES_FEED_KEEP_ALIVE);
    const bool sent =
        es_send(feed->client, "POST", buf_cstr(&path), NULL, ES_JSON, on_context, feed, err);
    buf_free(&path);
    return sent;
}

/* A scroll that is asked twice has left out a page. */
static bool continue_context(struct es_feed *feed, struct err *err)
{
    struct buf body = {0};
    const char *path = "/_search";
    if (scrolls(feed))
        path = es_feed_scroll_body(&feed->state, feed->client, &body);
    else
        es_feed_context_body(&feed->state, feed->client, &body);
    return es_send(feed->client, "POST", path, &body, scrolls(feed) ? ES_JSON_ONCE : ES_JSON,
                   on_page, feed, err);
}

static bool next_request(struct es_feed *feed, struct err *err)
{
    if (feed->stage == PLAIN)
        return search_index(feed, "", err);
    if (feed->stage == PAGING)
        return continue_context(feed, err);
    if (!scrolls(feed))
        return open_context(feed, err);
    feed->stage = PAGING;
    return search_index(feed, "?scroll=" ES_FEED_KEEP_ALIVE, err);
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
static void on_discarded(void *ctx UNUSED, const struct json_node *json UNUSED, int status UNUSED,
                         const struct err *err UNUSED)
{
}

static void discard_context(struct es_feed *feed)
{
    struct buf body = {0};
    if (feed->state.context.len == 0 || feed->state.options.moment.len > 0)
        return;
    const char *path = es_feed_discard_body(&feed->state, feed->client, &body);
    if (!es_send(feed->client, "DELETE", path, &body, ES_JSON, on_discarded, NULL, NULL))
        log_debug(feed->client->log, "a search context is left to its keep-alive");
    buf_clear(&feed->state.context);
}

void es_feed_close(struct es_feed *feed)
{
    discard_context(feed);
    buf_free(&feed->state.context);
    buf_free(&feed->state.after);
    free(feed);
}
