#include "source/documents.h"

#include "io/task.h"
#include "source/await.h"
#include "support/http_server.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#define ROOT                                           \
    {                                                  \
        .body = "{\"version\":{\"number\":\"9.5.3\"}}" \
    }
#define NONE(id) "{\"_id\":\"" id "\",\"found\":false}"
#define TOO_LARGE                                 \
    {                                             \
        .status = 413, .body = "<html>413</html>" \
    }

struct world {
    struct io_loop *loop;
    struct http_server *server;
    struct es_client *client;
    struct arena arena;
    struct change_document documents[3];
    struct err err;
    bool fine, ended;
    uint32_t counts[5][2]; /* of a window: entries without and with a document */
    size_t windows;
};

static void read_three(void *ctx)
{
    struct world *w = ctx;
    static const struct slice keys[] = {SLICE_LIT("a"), SLICE_LIT("b"), SLICE_LIT("c")};
    w->fine = await_es_connect(w->client, &w->err) &&
              source_documents_read(w->client, NULL, SLICE_NULL, keys, ARRAY_LEN(keys),
                                    w->documents, &w->arena, &w->err);
}

static void end(void *ctx)
{
    struct world *w = ctx;
    w->ended = true;
    io_loop_stop(w->loop);
}

static void run(struct world *w, const struct http_reply *script, size_t replies, io_task_fn *task)
{
    *w = (struct world){.loop = io_loop_new(NULL)};
    w->server = http_server_new(io_loop_uv(w->loop), script, replies);
    const char *const hosts[] = {http_server_url(w->server)};
    const struct es_options options = {.hosts = hosts, .host_count = 1, .index = "index"};
    w->client = es_client_new(w->loop, &options, &w->err);
    io_task_start(w->loop, task, w, end);
    while (!w->ended)
        io_loop_run(w->loop);
}

static void on_closed(void *ctx)
{
    io_loop_stop(((struct world *)ctx)->loop);
}

static void tear_down(struct world *w)
{
    http_server_stop(w->server);
    es_client_close(w->client, on_closed, w);
    io_loop_run(w->loop);
    uv_run(io_loop_uv(w->loop), UV_RUN_DEFAULT);
    http_server_free(w->server);
    io_loop_free(w->loop);
    arena_free(&w->arena);
}

static void too_large_together(void **state)
{
    (void)state;
    static const struct http_reply script[] = {
        ROOT,
        TOO_LARGE,
        {.body = "{\"docs\":[" NONE("a") "]}"},
        TOO_LARGE,
        {.body = "{\"docs\":[" NONE("b") "]}"},
        {.body = "{\"docs\":[{\"_id\":\"c\",\"found\":true,\"_version\":9}]}"},
    };
    struct world w;
    run(&w, script, ARRAY_LEN(script), read_three);
    assert_true(w.fine);
    assert_true(w.documents[0].content.missing && w.documents[1].content.missing);
    /* there, though nothing of it can be read */
    assert_int_equal(w.documents[2].version, 9);
    assert_false(w.documents[2].content.missing);
    assert_non_null(w.documents[2].unreadable);
    tear_down(&w);
}

static void too_large_alone(void **state)
{
    (void)state;
    static const struct http_reply script[] = {ROOT, TOO_LARGE};
    struct world w;
    run(&w, script, ARRAY_LEN(script), read_three);
    assert_false(w.fine);
    assert_int_equal(w.err.code, ERR_TOO_LARGE);
    assert_int_equal(http_server_count(w.server), 3); /* three, then one */
    tear_down(&w);
}

/* One window: how many entries of it come without and with their documents. */
static void read_window(struct world *w, struct source *s, int64_t known)
{
    struct source_page page;
    uint32_t *counts = w->counts[w->windows++];
    const struct source_window window = {.since = 5, .known = known};
    w->fine = w->fine && s->ops->open(s, &window, &w->err);
    do {
        w->fine = w->fine && s->ops->next(s, &page, &w->arena, &w->err);
        if (w->fine)
            counts[page.documents != NULL] += page.count;
    } while (w->fine && page.count > 0);
    s->ops->close(s);
}

static void read_windows(void *ctx)
{
    static const int64_t known[] = {9, 9, 4, 9, 9};
    struct world *w = ctx;
    w->fine = await_es_connect(w->client, &w->err);
    struct source *s = source_documents_new(w->client, NULL, SLICE_NULL);
    for (size_t i = 0; i < ARRAY_LEN(known); i++)
        read_window(w, s, known[i]);
    s->ops->free(s);
}

#define SHARDS     "\"_shards\":{\"total\":1,\"successful\":1,\"failed\":0}"
#define HITS(list) "{" SHARDS ",\"hits\":{\"hits\":[" list "]}}"
#define ONE        HITS("{\"_id\":\"one\",\"_version\":10}")

/* A page of 200: so many that the next window is read otherwise. */
static char *many_documents(void)
{
    struct buf many = {0};
    buf_append_str(&many, "{" SHARDS ",\"hits\":{\"hits\":[");
    for (int i = 0; i < 200; i++)
        buf_printf(&many, "%s{\"_id\":\"%d\",\"_version\":7}", i ? "," : "", i);
    buf_append_str(&many, "]}}");
    return many.ptr;
}

static void window_of_known_documents(void **state)
{
    (void)state;
    char *many = many_documents();
    const struct http_reply script[] = {
        ROOT,           {.body = many}, {.body = many}, {.body = ONE},
        {.body = many}, {.body = ONE},  {.body = ONE},  {.body = ONE},
    };
    struct world w;
    run(&w, script, ARRAY_LEN(script), read_windows);
    static const uint32_t counts[5][2] = {
        {0, 200},           /* nothing is known of how many there are */
        {200, 1}, {0, 200}, /* none of them was read before */
        {1, 1},   {0, 1},   /* few: not worth a request */
    };
    assert_string_equal(w.err.text, "");
    assert_memory_equal(w.counts, counts, sizeof counts);
    assert_int_equal(http_server_count(w.server), ARRAY_LEN(script));
    const char *bare = http_server_seen(w.server, 2)->body;
    const char *rest = http_server_seen(w.server, 3)->body;
    assert_non_null(strstr(bare, "\"_source\":false"));
    assert_non_null(strstr(bare, "\"gte\":\"5\",\"lte\":\"9\""));
    assert_null(strstr(rest, "\"_source\":false"));
    assert_non_null(strstr(rest, "{\"gte\":\"10\"}"));
    tear_down(&w);
    free(many);
}

/* --- windows that leave out what earlier ones gave */

struct step {
    int64_t since;
    bool whole, forgotten; /* what it gave was not dealt with */
    const char *asked;     /* part of the window's request */
};

/* Two shards' primaries and a copy that counts nothing. */
#define HISTORY_OF(index, shard, low, high)                                                      \
    {                                                                                            \
        .body =                                                                                  \
            "{" SHARDS ",\"indices\":{\"index\":{\"uuid\":\"" index "\",\"shards\":{\"0\":["     \
            "{\"routing\":{\"primary\":false},\"commit\":{\"user_data\":{\"history_uuid\":"      \
            "\"x\"}},\"seq_no\":{\"global_checkpoint\":1}},"                                     \
            "{\"routing\":{\"primary\":true},\"commit\":{\"user_data\":{\"history_uuid\":"       \
            "\"" shard "\"}},\"seq_no\":{\"global_checkpoint\":" high "}}],\"1\":[{\"routing\":" \
            "{\"primary\":true},\"commit\":{\"user_data\":{\"history_uuid\":\"b\"}},\"seq_no\":" \
            "{\"global_checkpoint\":" low "}}]}}}}"                                              \
    }
#define REFRESHED              \
    {                          \
        .body = "{" SHARDS "}" \
    }
#define MANY         \
    {                \
        .body = many \
    }

static const struct step *steps;
static size_t step_count;

static void read_marked(void *ctx)
{
    struct world *w = ctx;
    struct arena arena = {0};
    w->fine = await_es_connect(w->client, &w->err);
    struct source *s = source_documents_new(w->client, NULL, SLICE_NULL);
    for (size_t i = 0; i < step_count; i++) {
        const struct source_window window = {.since = steps[i].since, .whole = steps[i].whole};
        struct source_page page;
        w->fine = w->fine && source_documents_refresh(s, &w->err) &&
                  s->ops->open(s, &window, &w->err) && s->ops->next(s, &page, &arena, &w->err);
        s->ops->close(s);
        if (w->fine && !steps[i].forgotten)
            s->ops->done(s);
    }
    s->ops->free(s);
    arena_free(&arena);
}

/* Windows of a source whose first one is so large that the others ask for the history. Each step
 * has the replies: history, refresh, window. */
static void check_marked(const struct http_reply *script, size_t replies, const struct step *all,
                         size_t count)
{
    struct world w;
    steps = all;
    step_count = count;
    run(&w, script, replies, read_marked);
    assert_string_equal(w.err.text, "");
    assert_true(w.fine);
    assert_int_equal(http_server_count(w.server), replies);
    for (size_t i = 1; i < count; i++) {
        const char *stats = http_server_seen(w.server, 3 * i + 1)->path;
        const char *body = http_server_seen(w.server, 3 * i + 3)->body;
        assert_non_null(strstr(stats, "/index/_stats/get?level=shards"));
        if (!strstr(body, all[i].asked ? all[i].asked : "\"gte\":\"") ||
            (!all[i].asked && strstr(body, "_seq_no\"")))
            fail_msg("window %zu: %s", i, body);
    }
    tear_down(&w);
}

#define FIRST        ROOT, {.body = "{}"}, REFRESHED, MANY /* no history is known */
#define FROM(seq_no) "{\"range\":{\"_seq_no\":{\"gte\":" seq_no "}}}"
/* A part of what windows between gave, without what they gave. */
#define BELOW(from, to, version)                                                 \
    "{\"bool\":{\"must\":[{\"range\":{\"_seq_no\":{\"gte\":" from ",\"lte\":" to \
    "}}},{\"range\":{\"timestamp\":{\"lt\":\"" version "\"}}}]}}"
#define WINDOW(index, shard, low, high) HISTORY_OF(index, shard, low, high), REFRESHED, MANY

static void window_leaves_out_what_was_given(void **state)
{
    (void)state;
    char *many = many_documents();
    const struct http_reply script[] = {
        FIRST,
        WINDOW("i", "a", "70", "90"),
        WINDOW("i", "a", "80", "95"),
        WINDOW("i", "a", "85", "95"),
        WINDOW("i", "a", "86", "95"),
        WINDOW("i", "a", "87", "95"),
        WINDOW("i", "a", "88", "95"),
        WINDOW("i", "a", "-1", "95"),
        WINDOW("i", "a", "89", "95"),
    };
    static const struct step all[] = {
        {.since = 5},
        {.since = 5},                      /* the one before knew no history */
        {.since = 5, .asked = FROM("71")}, /* the lowest checkpoint of all shards */
        {.since = 6, .asked = FROM("81"), .forgotten = true},
        {.since = 6, .asked = FROM("81")},
        {.since = 5}, /* below what the last one began with */
        {.since = 6, .asked = FROM("88")},
        {.since = 6, .asked = FROM("89")},
        {.since = 6}, /* nothing was settled */
    };
    check_marked(script, ARRAY_LEN(script), all, ARRAY_LEN(all));
    free(many);
}

/* What a shard of which nothing was told may have lies behind the others' checkpoints. */
static void histories_that_lack_a_shard(void **state)
{
    (void)state;
    static const char primary[] =
        "[{\"routing\":{\"primary\":true},\"commit\":{\"user_data\":{"
        "\"history_uuid\":\"a\"}},\"seq_no\":{\"global_checkpoint\":70}}]";
    static const char *const shards[] = {"", ",\"1\":[]",
                                         ",\"1\":[{\"routing\":{\"primary\":false}}]"};
    static const char *const told[] = {"\"failed\":0", "\"failed\":1", "\"total\":1"};
    char *many = many_documents();
    for (size_t i = 0; i < ARRAY_LEN(told) * ARRAY_LEN(shards); i++) {
        const bool complete = i == 0;
        char history[512];
        snprintf(history, sizeof history,
                 "{\"_shards\":{%s},\"indices\":{\"index\":{\"uuid\":\"i\",\"shards\":{"
                 "\"0\":%s%s}}}}",
                 told[i / ARRAY_LEN(shards)], primary, shards[i % ARRAY_LEN(shards)]);
        const struct http_reply script[] = {
            FIRST, {.body = history}, REFRESHED, MANY, {.body = history}, REFRESHED, MANY,
        };
        const struct step all[] = {
            {.since = 5}, {.since = 5}, {.since = 5, .asked = complete ? FROM("71") : NULL}};
        check_marked(script, ARRAY_LEN(script), all, ARRAY_LEN(all));
    }
    free(many);
}

/* What windows between them gave is not all of the overlap. */
static void whole_windows_by_their_own_marks(void **state)
{
    (void)state;
    char *many = many_documents();
    const struct http_reply script[] = {
        FIRST,
        WINDOW("i", "a", "70", "90"),
        WINDOW("i", "a", "80", "90"),
        WINDOW("i", "a", "90", "95"),
        WINDOW("i", "a", "91", "95"),
        WINDOW("i", "a", "92", "95"),
    };
    static const struct step all[] = {
        {.since = 3, .whole = true},
        {.since = 5},
        {.since = 3, .whole = true},
        {.since = 5, .asked = FROM("81")},
        {.since = 4, .whole = true, .asked = "[" BELOW("81", "90", "5") "," FROM("91") "]"},
        {.since = 2, .whole = true},
    };
    check_marked(script, ARRAY_LEN(script), all, ARRAY_LEN(all));
    free(many);
}

/* Each window between two of the whole overlap gave the versions from its since up, of the
 * operations behind those of the window before it. */
static void whole_window_leaves_out_what_windows_since_gave(void **state)
{
    (void)state;
    char *many = many_documents();
    const struct http_reply script[] = {
        FIRST,
        WINDOW("i", "a", "70", "90"),
        WINDOW("i", "a", "80", "90"),
        WINDOW("i", "a", "85", "90"),
        WINDOW("i", "a", "85", "90"), /* nothing new */
        {.status = 403, .body = "{}"},
        REFRESHED,
        MANY,
        WINDOW("i", "a", "95", "98"),
        WINDOW("i", "a", "99", "99"),
        WINDOW("i", "a", "99", "99"),
    };
    static const struct step all[] = {
        {.since = 3, .whole = true},
        {.since = 3, .whole = true}, /* up to 70 */
        {.since = 5, .asked = FROM("71")},
        {.since = 7, .asked = FROM("81"), .forgotten = true}, /* failed */
        {.since = 8, .asked = FROM("81")},
        {.since = 9}, /* all versions from 9 up, but who knows of which operations */
        {.since = 9}, /* all of them again, up to 95 */
        {.since = 4,
         .whole = true,
         .asked = "[" BELOW("71", "80", "5") "," BELOW("81", "85", "8") "," BELOW(
             "86", "95", "9") "," FROM("96") "]"},
        {.since = 4, .whole = true, .asked = FROM("100")},
    };
    check_marked(script, ARRAY_LEN(script), all, ARRAY_LEN(all));
    free(many);
}

enum { CYCLES = 150 };

/* Neighbours are told as one then. */
static void many_windows_between_whole_ones(void **state)
{
    (void)state;
    static char histories[CYCLES + 3][512];
    static struct http_reply script[4 + 3 * (CYCLES + 2)];
    static struct step all[CYCLES + 3];
    char *many = many_documents();
    size_t replies = 0;
    const struct http_reply first[] = {FIRST};
    for (size_t i = 0; i < ARRAY_LEN(first); i++)
        script[replies++] = first[i];
    all[0] = (struct step){.since = 1, .whole = true};
    for (int i = 1; i < CYCLES + 3; i++) {
        snprintf(histories[i], sizeof histories[i],
                 "{" SHARDS
                 ",\"indices\":{\"index\":{\"uuid\":\"i\",\"shards\":{\"0\":[{\"routing\":{"
                 "\"primary\":true},"
                 "\"commit\":{\"user_data\":{\"history_uuid\":\"a\"}},\"seq_no\":"
                 "{\"global_checkpoint\":%d}}]}}}}",
                 10 * i);
        script[replies++] = (struct http_reply){.body = histories[i]};
        script[replies++] = (struct http_reply)REFRESHED;
        script[replies++] = (struct http_reply){.body = many};
        all[i] = (struct step){.since = 100 + i, .asked = "_seq_no\""};
    }
    all[1] = (struct step){.since = 1, .whole = true};
    all[CYCLES + 2] = (struct step){.since = 2, .whole = true, .asked = FROM("1521")};
    struct world w;
    steps = all;
    step_count = ARRAY_LEN(all);
    run(&w, script, replies, read_marked);
    assert_true(w.fine);
    const char *body = http_server_seen(w.server, replies - 1)->body;
    int64_t low = 11;
    size_t pieces = 0;
    for (const char *at = body; (at = strstr(at, "\"_seq_no\":{\"gte\":")); at++, pieces++) {
        long long from, to, below;
        if (sscanf(at,
                   "\"_seq_no\":{\"gte\":%lld,\"lte\":%lld}}},{\"range\":{\"timestamp\":{\"lt\":\"%"
                   "lld\"",
                   &from, &to, &below) != 3)
            break; /* the rest */
        assert_int_equal(from, low);
        assert_int_equal(below, 100 + to / 10); /* of the last one that it stands for */
        low = to + 1;
    }
    assert_int_equal(low, 1511);
    assert_true(pieces > 30 && pieces <= 64);
    assert_non_null(strstr(body, FROM("1511")));
    tear_down(&w);
    free(many);
}

/* An index that was empty when the first window was read. */
static void windows_from_the_first_operation_on(void **state)
{
    (void)state;
    char *many = many_documents();
    const struct http_reply script[] = {
        ROOT,
        HISTORY_OF("i", "a", "-1", "-1"),
        REFRESHED,
        {.body = HITS("")},
        REFRESHED, /* few documents are not worth asking */
        MANY,
        WINDOW("i", "a", "70", "90"),
        WINDOW("i", "a", "80", "90"),
    };
    static const int64_t since[] = {1, 5, 7, 1};
    static const bool whole[] = {true, false, false, true};
    static struct step all[4];
    for (size_t i = 0; i < 4; i++)
        all[i] = (struct step){.since = since[i], .whole = whole[i]};
    struct world w;
    steps = all;
    step_count = ARRAY_LEN(all);
    run(&w, script, ARRAY_LEN(script), read_marked);
    assert_true(w.fine);
    const char *body = http_server_seen(w.server, ARRAY_LEN(script) - 1)->body;
    assert_non_null(strstr(body, "[" BELOW("0", "70", "7") "," FROM("71") "]"));
    tear_down(&w);
    free(many);
}

static void another_history(void **state)
{
    (void)state;
    char *many = many_documents();
    const struct http_reply script[] = {
        FIRST,
        WINDOW("i", "a", "70", "90"),
        WINDOW("i", "A", "80", "90"), /* a shard made anew from a stale copy */
        WINDOW("j", "A", "85", "90"), /* another index of the name */
        {.status = 403, .body = "{\"error\":{\"type\":\"security_exception\"},\"status\":403}"},
        REFRESHED,
        MANY,
        WINDOW("j", "A", "90", "90"),
        {.body = "{}"},
        REFRESHED,
        MANY,
        WINDOW("j", "A", "90", "90"),
        WINDOW("j", "A", "90", "90"),
    };
    static const struct step all[] = {
        {.since = 5}, {.since = 5}, {.since = 5},
        {.since = 5}, {.since = 5}, {.since = 5},
        {.since = 5}, {.since = 5}, {.since = 5, .asked = FROM("91")},
    };
    check_marked(script, ARRAY_LEN(script), all, ARRAY_LEN(all));
    free(many);
}

/* A server that is not there is not one that can't tell. */
static void history_that_fails(void **state)
{
    (void)state;
    char *many = many_documents();
    const struct http_reply script[] = {FIRST, {.status = 503, .body = "{}"}};
    static const struct step all[] = {{.since = 5}, {.since = 5}};
    struct world w;
    steps = all;
    step_count = ARRAY_LEN(all);
    run(&w, script, ARRAY_LEN(script), read_marked);
    assert_false(w.fine);
    assert_int_equal(w.err.code, ERR_UNAVAILABLE);
    tear_down(&w);
    free(many);
}

/* One that never will be is done without. */
static void history_that_is_refused(void **state)
{
    (void)state;
    static const int refused[] = {301, 400, 403, 404, 405, 410};
    for (size_t i = 0; i < ARRAY_LEN(refused); i++) {
        const struct http_reply script[] = {ROOT,
                                            {.status = refused[i], .body = "{\"error\":\"no\"}"},
                                            REFRESHED,
                                            {.body = HITS("")}};
        static const struct step all[] = {{.since = 5}};
        struct world w;
        steps = all;
        step_count = ARRAY_LEN(all);
        run(&w, script, ARRAY_LEN(script), read_marked);
        assert_true(w.fine);
        tear_down(&w);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(too_large_together),
        cmocka_unit_test(too_large_alone),
        cmocka_unit_test(window_of_known_documents),
        cmocka_unit_test(window_leaves_out_what_was_given),
        cmocka_unit_test(histories_that_lack_a_shard),
        cmocka_unit_test(whole_windows_by_their_own_marks),
        cmocka_unit_test(whole_window_leaves_out_what_windows_since_gave),
        cmocka_unit_test(many_windows_between_whole_ones),
        cmocka_unit_test(windows_from_the_first_operation_on),
        cmocka_unit_test(another_history),
        cmocka_unit_test(history_that_fails),
        cmocka_unit_test(history_that_is_refused),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
