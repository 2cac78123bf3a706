#include "es/page.h"

#include "base/mem.h"
#include "es/answer.h"
#include "es/request.h"
#include "es/routing.h"

#include <stdlib.h>

struct page {
    struct es_client *client;
    struct es_page_options options;
    bool bare; /* without any _source: one of them is no JSON */
    int64_t *seq_nos;
    es_documents_fn *done;
    void *ctx;
};

static void finish(struct page *page, const struct es_document *documents, size_t count,
                   const struct err *err)
{
    page->done(page->ctx, documents, count, err);
    free(page->seq_nos);
    free(page);
}

void es_append_selection(const struct es_client *client, const struct es_page_options *o,
                         struct buf *body)
{
    buf_append_str(body, "\"query\":{\"bool\":{\"filter\":[{\"match_all\":{}}");
    if (o->high >= 0)
        buf_printf(body, ",{\"range\":{\"_seq_no\":{\"gte\":%lld,\"lte\":%lld}}}",
                   (long long)o->low, (long long)o->high);
    buf_append_char(body, ']');
    if (o->below > 0) {
        buf_append_str(body, ",\"must_not\":[");
        es_append_range(client, body, o->below, 0);
        buf_append_char(body, ']');
    }
    buf_append_str(body, "}}");
}

void es_append_versions(const struct es_client *client, int64_t since, int64_t until,
                        struct buf *body)
{
    buf_append_str(body, "\"query\":");
    es_append_range(client, body, since, until);
}

static void on_page(void *ctx, const struct json_node *json, int status, const struct err *err);

static bool ask(struct page *page, struct err *err)
{
    const struct es_version *v = &page->client->version;
    struct buf body = {0}, path = {0};
    buf_append_str(&path, es_documents_path(page->client));
    buf_append_str(&path, "/_search");
    buf_printf(&body, "{\"size\":%u,\"version\":true,\"seq_no_primary_term\":true,",
               page->options.size);
    if (v->untracked_hits)
        buf_append_str(&body, "\"track_total_hits\":false,");
    if (page->bare || page->options.no_source)
        buf_append_str(&body, "\"_source\":false,");
    else if (v->exclude_vectors)
        buf_append_str(&body, "\"_source\":{\"exclude_vectors\":false},");
    buf_printf(&body, "\"sort\":[{\"_seq_no\":\"%s\"}],", page->options.backwards ? "desc" : "asc");
    es_append_selection(page->client, &page->options, &body);
    buf_append_char(&body, '}');
    const bool sent =
        es_send(page->client, "POST", buf_cstr(&path), &body, ES_JSON, on_page, page, err);
    buf_free(&path);
    return sent;
}

/* Those that are gone since are among them, not found. */
static void on_sources(void *ctx, const struct es_document *documents, size_t count,
                       const struct err *err)
{
    struct page *page = ctx;
    if (err) {
        finish(page, NULL, 0, err);
        return;
    }
    struct es_document *all = mem_array(count + 1, sizeof *all);
    for (size_t i = 0; i < count; i++) {
        all[i] = documents[i];
        all[i].seq_no = page->seq_nos[i]; /* where it was in the order */
    }
    finish(page, all, count, NULL);
    free(all);
}

static bool read_sources(struct page *page, const struct es_document *documents, size_t count,
                         struct err *err)
{
    struct slice *ids = mem_array(count + 1, sizeof *ids);
    page->seq_nos = mem_array(count + 1, sizeof *page->seq_nos);
    for (size_t i = 0; i < count; i++) {
        ids[i] = documents[i].id;
        page->seq_nos[i] = documents[i].seq_no;
    }
    const bool sent = es_mget(page->client, ids, count, on_sources, page, err);
    free(ids);
    return sent;
}

static void take_hits(struct page *page, const struct json_node *hits)
{
    struct es_document *documents = mem_array(hits->children + 1, sizeof *documents);
    struct err bad = {0};
    size_t count = 0;
    bool fine = true;
    for (const struct json_node *n = json_first(hits); n && fine; n = json_next(hits, n))
        fine = es_hit_read(n, &documents[count++], &bad);
    if (!fine)
        es_blame(page->client, &bad);
    if (fine)
        es_notice_routing(page->client, documents, count);
    if (fine && page->bare && count > 0) {
        if (!read_sources(page, documents, count, &bad))
            finish(page, NULL, 0, &bad);
    } else {
        finish(page, fine ? documents : NULL, fine ? count : 0, fine ? NULL : &bad);
    }
    free(documents);
}

static void on_page(void *ctx, const struct json_node *json, int status, const struct err *err)
{
    struct page *page = ctx;
    struct err bad = {0};
    if (err) {
        bad = *err;
        if (!page->bare && status >= 200 && status < 300 && err->code != ERR_TOO_LARGE) {
            page->bare = true;
            if (ask(page, &bad))
                return;
        }
        finish(page, NULL, 0, &bad);
        return;
    }
    const struct json_node *hits = es_hits(json, &bad);
    if (hits) {
        take_hits(page, hits);
    } else {
        es_blame(page->client, &bad);
        finish(page, NULL, 0, &bad);
    }
}

bool es_page(struct es_client *client, const struct es_page_options *options, es_documents_fn *done,
             void *ctx, struct err *err)
{
    struct page *page = mem_zalloc(sizeof *page);
    page->client = client;
    page->options = *options;
    page->done = done;
    page->ctx = ctx;
    if (ask(page, err))
        return true;
    free(page);
    return false;
}
