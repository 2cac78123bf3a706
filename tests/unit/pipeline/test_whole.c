#include "pipeline/internal.h"

#include "base/clock.h"
#include "io/task.h"
#include "source/documents.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

/* Cycles over a time series whose entries show late: those of the whole overlap are read over
 * several cycles, and none may be missed. Each entry is an unusable one, so that a look at it takes
 * no server: it becomes a dead letter. */

enum { UNIT_US = 1000, OVERLAP = 400, SETTLE = 20, SECONDS = 3, PAGE = 4, ENTRIES = 1500 };

struct entry {
    int64_t version, shows; /* both ms */
    bool seen;
    char key[16];
};

struct series {
    struct source source; /* first: the ops get it */
    int64_t since;
    uint32_t place; /* among the entries */
    bool brief;
};

static struct entry entries[ENTRIES]; /* by version */
static char folder[64], path[96];
static struct pipeline p;
static struct err err;
static unsigned long long state = 42;
static unsigned late, parts;
static bool ended;
static void (*free_documents)(struct source *source);

static unsigned any(unsigned below)
{
    state = state * 6364136223846793005u + 1442695040888963407u;
    return (unsigned)(state >> 33) % below;
}

static void must(bool fine)
{
    if (!fine)
        fail_msg("%s", err.text);
}

static bool series_open(struct source *source, const struct source_window *window,
                        struct err *e UNUSED)
{
    struct series *s = (struct series *)source;
    s->since = window->since;
    s->place = 0;
    return true;
}

/* What shows now behind the place that was reached. */
static bool series_next(struct source *source, struct source_page *page, struct arena *arena,
                        struct err *e UNUSED)
{
    struct series *s = (struct series *)source;
    const int64_t now = clock_wall_us() / UNIT_US;
    struct change_entry *out = arena_alloc(arena, PAGE * sizeof *out);
    *page = (struct source_page){.entries = out};
    for (; s->place < ENTRIES && page->count < PAGE; s->place++) {
        struct entry *each = &entries[s->place];
        if (each->version < s->since || each->shows > now)
            continue;
        late += !each->seen && !s->brief;
        each->seen = true;
        out[page->count++] = (struct change_entry){
            .key = slice_str(each->key), .version = each->version, .unusable = "of the test"};
    }
    return true;
}

static bool documents_open(struct source *source UNUSED, const struct source_window *window UNUSED,
                           struct err *e UNUSED)
{
    return true;
}

static bool documents_next(struct source *source UNUSED, struct source_page *page,
                           struct arena *arena UNUSED, struct err *e UNUSED)
{
    *page = (struct source_page){0};
    return true;
}

static void ignore(struct source *source UNUSED)
{
}

static bool no_highest(struct source *source UNUSED, int64_t *version, struct err *e UNUSED)
{
    *version = 0;
    return true;
}

static const struct source_ops series_ops = {.side = CHANGE_CASSANDRA,
                                             .open = series_open,
                                             .next = series_next,
                                             .close = ignore,
                                             .highest = no_highest,
                                             .free = ignore};
static const struct source_ops documents_ops = {.side = CHANGE_ELASTICSEARCH,
                                                .open = documents_open,
                                                .next = documents_next,
                                                .close = ignore,
                                                .highest = no_highest,
                                                .free = ignore};
static struct series brief = {.source.ops = &series_ops, .brief = true},
                     whole = {.source.ops = &series_ops};

static int by_version(const void *a, const void *b)
{
    const struct entry *x = a, *y = b;
    return (x->version > y->version) - (x->version < y->version);
}

static int setup(void **unused)
{
    (void)unused;
    snprintf(folder, sizeof folder, "/tmp/caes_whole_XXXXXX");
    assert_non_null(mkdtemp(folder));
    snprintf(path, sizeof path, "%s/state.db", folder);
    p = (struct pipeline){.options = {.name = "default",
                                      .table.unit_us = UNIT_US,
                                      .overlap = OVERLAP,
                                      .overlap_us = OVERLAP * UNIT_US,
                                      .settle_us = SETTLE * UNIT_US,
                                      .dead_letters_max = 10 * ENTRIES},
                          .loop = io_loop_new(NULL),
                          .series = &brief.source,
                          .whole_series = &whole.source,
                          .bound = true,
                          .no_identity = true};
    p.store = store_open(path, &err);
    must(p.store != NULL);
    must(store_pipeline(p.store, "default", &p.id, &err));
    p.memory = memory_new(p.store, p.id, 100, &err);
    must(p.memory != NULL);
    const char *const hosts[] = {"http://127.0.0.1:1"}; /* nobody is asked */
    const struct es_options options = {.hosts = hosts, .host_count = 1, .index = "index"};
    p.elasticsearch = es_client_new(p.loop, &options, &err);
    must(p.elasticsearch != NULL);
    p.documents = source_documents_new(p.elasticsearch, NULL, SLICE_NULL);
    free_documents = p.documents->ops->free;
    p.documents->ops = &documents_ops;
    const int64_t now = clock_wall_us() / UNIT_US;
    for (unsigned i = 0; i < ENTRIES; i++) {
        struct entry *e = &entries[i];
        e->shows = now + any(SECONDS * 1000);
        /* An overlap late is the most that may be; some are nearly so. */
        e->version = e->shows - (any(2) ? any(SETTLE / 2) : any(OVERLAP - 10));
        snprintf(e->key, sizeof e->key, "%u", i);
    }
    qsort(entries, ENTRIES, sizeof *entries, by_version);
    return 0;
}

static void on_closed(void *ctx)
{
    (void)ctx;
    io_loop_stop(p.loop);
}

static int teardown(void **unused)
{
    (void)unused;
    free_documents(p.documents);
    es_client_close(p.elasticsearch, on_closed, NULL);
    io_loop_run(p.loop);
    io_loop_free(p.loop);
    memory_free(p.memory);
    store_close(p.store);
    static const char *const suffixes[] = {"", "-wal", "-shm", "-journal"};
    for (size_t i = 0; i < ARRAY_LEN(suffixes); i++) {
        char file[128];
        snprintf(file, sizeof file, "%s%s", path, suffixes[i]);
        unlink(file);
    }
    return rmdir(folder);
}

static void cycles(void *ctx)
{
    (void)ctx;
    const int64_t end = clock_wall_us() + (SECONDS * 1000 + OVERLAP) * UNIT_US;
    while (clock_wall_us() < end) {
        struct pipeline_report report;
        must(pipeline_cycle(&p, false, NULL, &report, &err));
        parts += p.whole.began > 0; /* one is under way still */
        (void)io_sleep(p.loop, 1, NULL);
    }
}

static void on_end(void *ctx)
{
    (void)ctx;
    ended = true;
    io_loop_stop(p.loop);
}

static void test_late_entries(void **unused)
{
    (void)unused;
    io_task_start(p.loop, cycles, NULL, on_end);
    while (!ended)
        io_loop_run(p.loop);
    unsigned missed = 0;
    for (unsigned i = 0; i < ENTRIES; i++)
        missed += !entries[i].seen;
    assert_int_equal(missed, 0);
    int64_t letters;
    must(store_dead_count(p.store, p.id, &letters, &err));
    assert_int_equal(letters, ENTRIES);
    assert_true(late > 0);  /* the brief windows alone would not do */
    assert_true(parts > 0); /* and one cycle did not read all */
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(test_late_entries, setup, teardown),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
