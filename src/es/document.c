#include "base/mem.h"
#include "es/answer.h"
#include "es/client.h"
#include "es/request.h"
#include "es/routing.h"

#include <stdlib.h>

/* Servers store, and give back as they came, documents that are no JSON: with comments, with a byte
 * order mark, in what is almost UTF-8. One of them makes the whole answer unreadable. Then the
 * culprit is searched for, and read without its _source. */

struct mget {
    struct es_client *client;
    struct slice *ids; /* into texts */
    struct buf texts;
    struct slice *routings; /* into routing_texts; NULL: none of the documents has one */
    struct buf routing_texts;
    size_t count;
    bool versions; /* nobody asks for any _source */
    es_documents_fn *done;
    void *ctx;

    enum { WHOLE, PROBE, SEARCH } stage;
    bool *hidden;       /* by id: is read without its _source; NULL: none */
    size_t from, to;    /* what is being asked for */
    size_t begin, end;  /* SEARCH: where the culprit is */
    struct err trouble; /* the answer that could not be read */
};

/* The answer is compared with what was asked for, and the caller's ids may be gone by then. */
static struct mget *new_mget(struct es_client *client, const struct slice *ids, size_t count,
                             es_documents_fn *done, void *ctx)
{
    struct mget *m = mem_zalloc(sizeof *m);
    m->client = client;
    m->done = done;
    m->ctx = ctx;
    m->ids = mem_array(count, sizeof *m->ids);
    m->count = m->to = count;
    for (size_t i = 0; i < count; i++)
        buf_append_slice(&m->texts, ids[i]);
    const char *at = buf_cstr(&m->texts);
    for (size_t i = 0; i < count; i++) {
        m->ids[i] = slice_of(at, ids[i].len);
        at += ids[i].len;
    }
    return m;
}

static void free_mget(struct mget *m)
{
    buf_free(&m->texts);
    buf_free(&m->routing_texts);
    free(m->routings);
    free(m->ids);
    free(m->hidden);
    free(m);
}

static void finish(struct mget *m, const struct es_document *documents, const struct err *err)
{
    m->done(m->ctx, err ? NULL : documents, err ? 0 : m->count, err);
    free_mget(m);
}

/* The routing of a document without one is its _id: said so, it is read from an index that demands
 * a routing, too (in 7.x it would fail the whole request). */
static bool append_one(const struct mget *m, size_t i, struct buf *body, struct err *err)
{
    buf_append_str(body, "{\"_id\":");
    if (!json_append_string(body, m->ids[i]))
        return err_set(err, ERR_VALUE, "a key is not UTF-8");
    if (m->routings) {
        const struct slice routing = m->routings[i];
        buf_append_str(body, ",\"routing\":");
        if (!json_append_string(body, slice_is_null(routing) ? m->ids[i] : routing))
            return err_set(err, ERR_VALUE, "a routing is not UTF-8");
    }
    if (m->hidden && (m->stage == PROBE || m->hidden[i]))
        buf_append_str(body, ",\"_source\":false");
    buf_append_char(body, '}');
    return true;
}

static bool append_ids(const struct mget *m, struct buf *body, struct err *err)
{
    const bool plain = !m->hidden && !m->routings;
    buf_append_str(body, plain ? "{\"ids\":[" : "{\"docs\":[");
    for (size_t i = m->from; i < m->to; i++) {
        if (i > m->from)
            buf_append_char(body, ',');
        if (!plain && !append_one(m, i, body, err))
            return false;
        if (plain && !json_append_string(body, m->ids[i]))
            return err_set(err, ERR_VALUE, "a key is not UTF-8");
    }
    buf_append_str(body, "]}");
    return true;
}

static void on_mget(void *ctx, const struct json_node *json, int status, const struct err *err);
static void on_located(void *ctx, const struct slice *routings, const struct err *err);

static bool ask(struct mget *m, struct err *err)
{
    struct buf body = {0}, path = {0};
    if (!append_ids(m, &body, err)) {
        buf_free(&body);
        return false;
    }
    buf_append_str(&path, es_documents_path(m->client));
    buf_append_str(&path, "/_mget");
    if (m->versions)
        buf_append_str(&path, "?_source=false");
    else if (m->client->version.exclude_vectors)
        buf_append_str(&path, "?_source_exclude_vectors=false");
    const bool sent = es_send(m->client, "POST", buf_cstr(&path), &body, ES_JSON, on_mget, m, err);
    buf_free(&path);
    return sent;
}

static void hand_out(struct mget *m, const struct json_node *json)
{
    struct es_document *documents = mem_array(m->count, sizeof *documents);
    struct err bad = {0};
    const bool known = m->client->routed;
    const bool fine = es_mget_read(json, m->ids, documents, m->count, &bad);
    if (fine)
        es_notice_routing(m->client, documents, m->count);
    else
        es_blame(m->client, &bad);
    const bool again = fine && m->client->routed != known; /* what is not found may be elsewhere */
    if (!again || !es_locate(m->client, m->ids, m->count, on_located, m, &bad))
        finish(m, documents, fine && !again ? NULL : &bad);
    free(documents);
}

/* Asks for the first half of where the culprit is, at last for it alone. */
static bool narrow(struct mget *m)
{
    m->stage = SEARCH;
    m->from = m->begin;
    m->to = m->begin + (m->end - m->begin + 1) / 2;
    return ask(m, &m->trouble);
}

static bool start_search(struct mget *m)
{
    m->begin = 0;
    m->end = m->count;
    return narrow(m);
}

static bool ask_for_all(struct mget *m)
{
    m->from = 0;
    m->to = m->count;
    return ask(m, &m->trouble);
}

/* Without any _source first: it may be the answer of something else than the server. */
static bool start_probe(struct mget *m)
{
    m->hidden = mem_array(m->count, sizeof *m->hidden);
    m->stage = PROBE;
    return ask_for_all(m);
}

static bool go_on_searching(struct mget *m, bool readable)
{
    const bool alone = m->end - m->begin == 1;
    if (readable && alone) /* it was no single document */
        return false;
    if (readable) {
        m->begin = m->to;
        return narrow(m);
    }
    if (!alone) {
        m->end = m->to;
        return narrow(m);
    }
    log_warning(m->client->log, "elasticsearch: the _source of \"%.*s\" is no JSON",
                SLICE_ARG(m->ids[m->begin]));
    m->hidden[m->begin] = true;
    m->stage = WHOLE;
    return ask_for_all(m);
}

static void on_mget(void *ctx, const struct json_node *json, int status, const struct err *err)
{
    struct mget *m = ctx;
    const bool unreadable = err && status >= 200 && status < 300 && !m->versions;
    bool asked = false;
    if (err && !unreadable) {
        finish(m, NULL, err);
        return;
    }
    if (m->stage == WHOLE && !unreadable) {
        hand_out(m, json);
        return;
    }
    if (m->stage == WHOLE) {
        m->trouble = *err;
        asked = m->hidden ? start_search(m) : start_probe(m);
    } else if (m->stage == SEARCH) {
        asked = go_on_searching(m, !unreadable);
    } else if (!unreadable) {
        asked = start_search(m);
    }
    if (!asked) {
        const struct err trouble = m->trouble;
        finish(m, NULL, &trouble);
    }
}

static void keep_routings(struct mget *m, const struct slice *routings)
{
    m->routings = mem_array(m->count, sizeof *m->routings);
    for (size_t i = 0; i < m->count; i++)
        buf_append_slice(&m->routing_texts, routings[i]);
    const char *at = buf_cstr(&m->routing_texts);
    for (size_t i = 0; i < m->count; i++) {
        m->routings[i] = slice_is_null(routings[i]) ? SLICE_NULL : slice_of(at, routings[i].len);
        at += routings[i].len;
    }
}

static void on_located(void *ctx, const struct slice *routings, const struct err *err)
{
    struct mget *m = ctx;
    struct err bad = {0};
    if (!err)
        keep_routings(m, routings);
    if (err || !ask(m, &bad))
        finish(m, NULL, err ? err : &bad);
}

static bool read_documents(struct mget *m, struct err *err)
{
    if (m->client->routed ? es_locate(m->client, m->ids, m->count, on_located, m, err)
                          : ask(m, err))
        return true;
    free_mget(m);
    return false;
}

bool es_mget(struct es_client *client, const struct slice *ids, size_t count, es_documents_fn *done,
             void *ctx, struct err *err)
{
    if (count == 0)
        return err_set(err, ERR_INTERNAL, "a read of no documents");
    return read_documents(new_mget(client, ids, count, done, ctx), err);
}

bool es_mget_versions(struct es_client *client, const struct slice *ids, size_t count,
                      es_documents_fn *done, void *ctx, struct err *err)
{
    if (count == 0)
        return err_set(err, ERR_INTERNAL, "a read of no documents");
    struct mget *m = new_mget(client, ids, count, done, ctx);
    m->versions = true;
    return read_documents(m, err);
}
