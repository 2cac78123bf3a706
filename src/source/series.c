#include "source/series.h"

#include "base/mem.h"
#include "map/convert.h"
#include "source/await.h"
#include "source/given.h"

#include <stdlib.h>

enum { PAGE_SIZE = 5000 };

struct series {
    struct source source;
    struct cql_client *client;
    const struct source_table *table;
    const struct source_table_options *options;
    const struct cql_prepared *from;    /* entries of a bucket from a version up */
    const struct cql_prepared *highest; /* the last entry of a bucket */
    struct source_given given;
    int64_t since, known; /* of the window */
    uint32_t bucket;
    bool ended;
    struct slice paging_state;
    struct arena paging; /* owns paging_state */
};

/* Collects one page's entries. */
struct collector {
    struct series *series;
    struct arena *arena;
    struct change_entry *entries;
    uint32_t count, capacity;
    struct buf key;
};

static const char *key_of_row(struct collector *c, const struct slice *cells)
{
    const struct map_schema *schema = c->series->table->schema;
    struct err err = {0};
    buf_clear(&c->key);
    if (map_key_text(schema, cells + 1, &c->key, &err))
        return NULL;
    source_append_raw_key(schema, cells + 1, &c->key);
    return arena_copy(c->arena, slice_str(err.text)).ptr;
}

static bool add_entry(void *ctx, const struct slice *cells, uint32_t count)
{
    struct collector *c = ctx;
    struct series *series = c->series;
    const int64_t version =
        source_version_decode(series->table, series->options->unit_us, cells[0]);
    if (source_given_before(&series->given, series->bucket, version, cells, count) &&
        version <= series->known)
        return true;
    if (c->count == c->capacity) {
        const uint32_t capacity = c->capacity ? 2 * c->capacity : 256;
        struct change_entry *grown = arena_alloc(c->arena, capacity * sizeof *grown);
        if (c->count)
            memcpy(grown, c->entries, c->count * sizeof *grown);
        c->entries = grown;
        c->capacity = capacity;
    }
    struct change_entry *entry = &c->entries[c->count++];
    entry->version = version;
    entry->unusable = key_of_row(c, cells);
    entry->key = arena_copy(c->arena, buf_slice(&c->key));
    return true;
}

static struct cql_execution execution(const struct series *series, int32_t page_size)
{
    return (struct cql_execution){.consistency = series->options->consistency,
                                  .page_size = page_size};
}

static bool series_open(struct source *source, const struct source_window *window,
                        struct err *err UNUSED)
{
    struct series *series = (struct series *)source;
    series->since = window->since;
    series->known = window->known;
    source_given_begin(&series->given, !window->whole && window->known > 0);
    series->bucket = 0;
    series->ended = false;
    series->paging_state = SLICE_NULL;
    return true;
}

static void next_bucket(struct series *series)
{
    series->bucket++;
    series->ended = series->bucket >= series->options->buckets;
    series->paging_state = SLICE_NULL;
    arena_reset(&series->paging);
}

/* May be empty: of an empty bucket, or of tombstones. */
static bool read_page(struct series *series, struct slice since, struct source_page *page,
                      struct arena *arena, struct err *err)
{
    char id[4];
    const struct cql_value values[] = {cql_value_of(cql_encode_i32(id, (int32_t)series->bucket)),
                                       cql_value_of(since)};
    const struct cql_statement statement = {
        .prepared = series->from, .values = values, .value_count = ARRAY_LEN(values)};
    const struct cql_execution paged = execution(series, PAGE_SIZE);
    struct collector collector = {.series = series, .arena = arena, .capacity = 0};
    collector.entries = arena_alloc(arena, sizeof *collector.entries);
    struct arena paging = {0};
    const bool fine = await_cql_page(series->client, &statement, &paged, &series->paging_state,
                                     &paging, add_entry, &collector, err);
    arena_free(&series->paging);
    series->paging = paging;
    buf_free(&collector.key);
    if (!fine)
        return false;
    if (slice_is_null(series->paging_state))
        next_bucket(series);
    page->entries = collector.entries;
    page->count = collector.count;
    return true;
}

static bool series_next(struct source *source, struct source_page *page, struct arena *arena,
                        struct err *err)
{
    struct series *series = (struct series *)source;
    char version[8];
    struct slice since;
    *page = (struct source_page){0};
    /* A version that the column can't hold is above all that it holds. */
    if (!source_version_encode(series->table, series->options->unit_us, series->since, version,
                               &since))
        return true;
    bool fine = true;
    while (fine && page->count == 0 && !series->ended)
        fine = read_page(series, since, page, arena, err);
    return fine;
}

static void series_close(struct source *source)
{
    struct series *series = (struct series *)source;
    series->paging_state = SLICE_NULL;
    arena_reset(&series->paging);
}

struct highest {
    const struct series *series;
    int64_t version;
};

static bool raise_highest(void *ctx, const struct slice *cells, uint32_t count)
{
    struct highest *h = ctx;
    (void)count;
    const int64_t version =
        source_version_decode(h->series->table, h->series->options->unit_us, cells[0]);
    if (version > h->version)
        h->version = version;
    return true;
}

static bool series_highest(struct source *source, int64_t *version, struct err *err)
{
    struct series *series = (struct series *)source;
    struct highest highest = {.series = series};
    const struct cql_execution one = execution(series, 0);
    for (uint32_t bucket = 0; bucket < series->options->buckets; bucket++) {
        char id[4];
        const struct cql_value value = cql_value_of(cql_encode_i32(id, (int32_t)bucket));
        const struct cql_statement statement = {
            .prepared = series->highest, .values = &value, .value_count = 1};
        if (!await_cql_rows(series->client, &statement, &one, raise_highest, &highest, err))
            return false;
    }
    *version = highest.version;
    return true;
}

static void series_free(struct source *source)
{
    struct series *series = (struct series *)source;
    arena_free(&series->paging);
    source_given_free(&series->given);
    free(series);
}

static void series_done(struct source *source)
{
    source_given_done(&((struct series *)source)->given);
}

static const struct source_ops series_ops = {
    .side = CHANGE_CASSANDRA,
    .open = series_open,
    .next = series_next,
    .close = series_close,
    .done = series_done,
    .highest = series_highest,
    .free = series_free,
};

static void append_select(struct buf *out, const struct series *series)
{
    const struct source_table_options *options = series->options;
    const struct map_schema *schema = series->table->schema;
    buf_append_str(out, "SELECT ");
    source_append_name(out, slice_str(options->series_version));
    for (uint32_t i = 0; i < schema->key_count; i++) {
        buf_append_str(out, ", ");
        source_append_name(out, schema->keys[i].name);
    }
    buf_append_str(out, " FROM ");
    source_append_table(out, options->keyspace, options->series);
    buf_append_str(out, " WHERE ");
    source_append_name(out, slice_str(options->series_id));
    buf_append_str(out, " = ?");
}

static bool prepare(struct series *series, struct err *err)
{
    struct buf text = {0};
    append_select(&text, series);
    const size_t common = text.len;
    buf_append_str(&text, " AND ");
    source_append_name(&text, slice_str(series->options->series_version));
    buf_append_str(&text, " >= ?");
    bool fine = await_cql_prepare(series->client, buf_cstr(&text), &series->from, err);
    text.len = common;
    buf_append_str(&text, " ORDER BY ");
    source_append_name(&text, slice_str(series->options->series_version));
    buf_append_str(&text, " DESC LIMIT 1");
    fine = fine && await_cql_prepare(series->client, buf_cstr(&text), &series->highest, err);
    buf_free(&text);
    return fine;
}

struct source *source_series_new(struct cql_client *client, const struct source_table *table,
                                 const struct source_table_options *options, struct err *err)
{
    struct series *series = mem_zalloc(sizeof *series);
    series->source.ops = &series_ops;
    series->client = client;
    series->table = table;
    series->options = options;
    if (!prepare(series, err)) {
        free(series);
        return NULL;
    }
    return &series->source;
}
