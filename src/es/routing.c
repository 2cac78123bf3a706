#include "es/routing.h"

#include "base/mem.h"
#include "es/answer.h"
#include "es/request.h"

#include <stdlib.h>

enum { HITS_MAX = 10000 };

void es_notice_routing(struct es_client *client, const struct es_document *documents, size_t count)
{
    for (size_t i = 0; i < count && !client->routed; i++) {
        if (slice_is_null(documents[i].routing) || !client->version.tells_routing)
            continue;
        client->routed = true;
        log_info(client->log, "the index holds documents with a routing of their own: what is read "
                              "by _id is searched for on all shards first");
    }
}

bool es_client_routed(const struct es_client *client)
{
    return client->routed;
}

/* -- whether there are any ------------------------------------------------------------------ */

struct looking {
    struct es_client *client;
    es_done_fn *done;
    void *ctx;
};

static bool search_one(struct looking *l, struct err *err);

/* Without the right to see the mapping it goes on as well as it can. */
static void on_mapping(void *ctx, const struct json_node *mapping, const struct err *err)
{
    struct looking *l = ctx;
    struct es_client *client = l->client;
    const struct json_node *required = err ? NULL : json_path(mapping, "_routing.required");
    struct err bad = {0};
    client->saw_mapping = !err || err_class_of(err->code) != ERR_CLASS_RETRY;
    if (required && required->type == JSON_TRUE)
        client->routed = client->wants_routing = true;
    if (!client->routed && search_one(l, &bad))
        return;
    const struct looking own = *l;
    free(l);
    own.done(own.ctx, bad.code ? &bad : NULL);
}

static void on_look(void *ctx, const struct json_node *json, int status UNUSED,
                    const struct err *err)
{
    const struct looking l = *(struct looking *)ctx;
    struct es_document document;
    struct err bad = {0};
    free(ctx);
    if (err) {
        l.done(l.ctx, err);
        return;
    }
    const struct json_node *hits = es_hits(json, &bad);
    const struct json_node *hit = hits ? json_first(hits) : NULL;
    const bool fine = hits && (!hit || es_hit_read(hit, &document, &bad));
    if (!fine)
        es_blame(l.client, &bad);
    else if (hit)
        es_notice_routing(l.client, &document, 1);
    l.done(l.ctx, fine ? NULL : &bad);
}

static void on_known(void *ctx)
{
    const struct looking l = *(struct looking *)ctx;
    free(ctx);
    l.done(l.ctx, NULL);
}

static bool search_one(struct looking *l, struct err *err)
{
    struct es_client *client = l->client;
    struct buf path = {0}, body = {0};
    buf_append_str(&path, es_documents_path(client));
    buf_append_str(&path, "/_search");
    buf_append_str(&body, "{\"size\":1,\"terminate_after\":1,\"version\":true,\"_source\":false,"
                          "\"query\":{\"exists\":{\"field\":\"_routing\"}}}");
    const bool sent = es_send(client, "POST", buf_cstr(&path), &body, ES_JSON, on_look, l, err);
    buf_free(&path);
    return sent;
}

bool es_look_for_routing(struct es_client *client, es_done_fn *done, void *ctx, struct err *err)
{
    struct looking *l = mem_alloc(sizeof *l);
    *l = (struct looking){client, done, ctx};
    if (client->routed || !client->version.tells_routing) {
        io_timer_start(client->loop, 0, on_known, l);
        return true;
    }
    if (client->saw_mapping ? search_one(l, err) : es_mapping(client, on_mapping, l, err))
        return true;
    free(l);
    return false;
}

/* -- where they are ------------------------------------------------------------------------- */

/* What is known of an id. */
struct place {
    struct slice id;
    size_t number; /* among the caller's ids */
    int64_t version;
    struct slice routing;
};

struct locating {
    struct es_client *client;
    struct place *places; /* by id */
    size_t count;
    es_located_fn *done;
    void *ctx;
};

static int by_id(const void *a, const void *b)
{
    const struct slice x = ((const struct place *)a)->id, y = ((const struct place *)b)->id;
    if (x.len != y.len)
        return x.len < y.len ? -1 : 1;
    return memcmp(x.ptr, y.ptr, x.len);
}

static bool same_id(const struct locating *l, size_t i)
{
    return i > 0 && by_id(&l->places[i - 1], &l->places[i]) == 0;
}

static void free_locating(struct locating *l)
{
    free(l->places);
    free(l);
}

/* Versions are 0 or more. */
static void take_hit(struct locating *l, const struct es_document *hit)
{
    const struct place wanted = {.id = hit->id};
    struct place *place = bsearch(&wanted, l->places, l->count, sizeof wanted, by_id);
    if (!place)
        return;
    while (same_id(l, (size_t)(place - l->places))) /* the same id may be asked for twice */
        place--;
    if (place->version >= 0 && !l->client->said_double) {
        l->client->said_double = true;
        log_warning(l->client->log,
                    "elasticsearch: \"%.*s\" is the _id of several documents with different "
                    "routings; the one with the highest version counts",
                    SLICE_ARG(hit->id));
    }
    if (hit->version <= place->version)
        return;
    place->version = hit->version;
    place->routing = hit->routing;
}

static void hand_out(struct locating *l)
{
    struct slice *routings = mem_array(l->count, sizeof *routings);
    for (size_t i = 0; i < l->count; i++) {
        if (same_id(l, i))
            l->places[i].routing = l->places[i - 1].routing;
        routings[l->places[i].number] = l->places[i].routing;
    }
    l->done(l->ctx, routings, NULL);
    free(routings);
}

static void on_hits(void *ctx, const struct json_node *json, int status UNUSED,
                    const struct err *err)
{
    struct locating *l = ctx;
    struct es_document hit;
    struct err bad = {0};
    const struct json_node *hits = err ? NULL : es_hits(json, &bad);
    bool fine = hits != NULL;
    for (const struct json_node *n = hits ? json_first(hits) : NULL; n && fine;
         n = json_next(hits, n)) {
        fine = es_hit_read(n, &hit, &bad);
        if (fine)
            take_hit(l, &hit);
    }
    if (!fine && !err)
        es_blame(l->client, &bad);
    if (fine)
        hand_out(l);
    else
        l->done(l->ctx, NULL, err ? err : &bad);
    free_locating(l);
}

static bool append_search(const struct slice *ids, size_t count, struct buf *body, struct err *err)
{
    const size_t size = 2 * count < HITS_MAX ? 2 * count : HITS_MAX;
    buf_printf(body,
               "{\"size\":%zu,\"version\":true,\"_source\":false,\"query\":{\"ids\":{"
               "\"values\":[",
               size);
    for (size_t i = 0; i < count; i++) {
        if (i > 0)
            buf_append_char(body, ',');
        if (!json_append_string(body, ids[i]))
            return err_set(err, ERR_VALUE, "a key is not UTF-8");
    }
    buf_append_str(body, "]}}}");
    return true;
}

static struct locating *new_locating(struct es_client *client, const struct slice *ids,
                                     size_t count)
{
    struct locating *l = mem_zalloc(sizeof *l);
    l->client = client;
    l->places = mem_array(count, sizeof *l->places);
    l->count = count;
    for (size_t i = 0; i < count; i++)
        l->places[i] = (struct place){.id = ids[i], .number = i, .version = -1};
    qsort(l->places, count, sizeof *l->places, by_id);
    return l;
}

bool es_locate(struct es_client *client, const struct slice *ids, size_t count, es_located_fn *done,
               void *ctx, struct err *err)
{
    struct buf path = {0}, body = {0};
    if (!append_search(ids, count, &body, err)) {
        buf_free(&body);
        return false;
    }
    struct locating *l = new_locating(client, ids, count);
    l->done = done;
    l->ctx = ctx;
    buf_append_str(&path, es_documents_path(client));
    buf_append_str(&path, "/_search");
    const bool sent = es_send(client, "POST", buf_cstr(&path), &body, ES_JSON, on_hits, l, err);
    buf_free(&path);
    if (!sent)
        free_locating(l);
    return sent;
}
