#include "source/documents.h"

#include "base/mem.h"
#include "io/task.h"
#include "map/convert.h"
#include "source/await.h"
#include "source/history.h"

#include <assert.h>
#include <stdlib.h>

/* DIVIDE_FROM: documents of a read from which on a request more is cheaper than their content. */
enum { PAGE_SIZE = 1000, BARE_PAGE_SIZE = 5000, DIVIDE_FROM = 200, GIVEN_MAX = 64 };

/* Of each document with a version from since up, the operations that history covers were read, and
 * what was found in them was dealt with. */
struct mark {
    int64_t since;
    struct source_history history; /* id 0: none were */
};

struct documents {
    struct source source;
    struct es_client *client;
    const struct map_schema *schema;
    struct slice deleted_field;
    struct es_feed *feed;
    bool bare; /* what feed gives comes without documents, and the versions from rest up follow */
    int64_t rest;
    size_t count, count_before;       /* of this read and the one before it that left out nothing */
    struct source_history history;    /* as of before the last refresh; id 0: not known */
    bool asked;                       /* for it, once at least */
    struct mark last, whole;          /* of all windows, and of those of the whole overlap */
    struct es_given given[GIVEN_MAX]; /* by windows since the last one of the whole overlap */
    size_t given_count;
    struct source_window window; /* the present one */
    bool marked;                 /* it leaves out what a mark covers */
};

/* One request that is waited for, and where its documents go. */
struct reading {
    struct io_group group;
    const struct map_schema *schema;
    struct slice deleted_field;
    struct arena *arena;
    struct change_document *out;
    struct change_entry *entries;
    size_t count, expected;
    struct es_feed *feed;
    struct err *err;
    bool failed;
    bool bare; /* entries only */
};

static void fail(struct reading *r, const struct err *err)
{
    r->failed = true;
    if (r->err)
        *r->err = *err;
}

bool source_documents_marked(const struct json_node *source, struct slice deleted_field)
{
    if (slice_is_null(deleted_field))
        return false;
    for (const struct json_node *n = json_first(source); n; n = json_next(source, n)) {
        if (slice_equal(n->key, deleted_field))
            return n->type == JSON_TRUE;
    }
    return false;
}

void source_documents_take(const struct map_schema *schema, struct slice deleted_field,
                           const struct es_document *from, struct arena *arena,
                           struct change_document *to)
{
    *to = (struct change_document){.content.missing = !from->found,
                                   .seq_no = from->seq_no,
                                   .primary_term = from->primary_term};
    if (!from->found)
        return;
    to->version = from->version;
    to->routing = arena_copy(arena, from->routing);
    if (!from->source) { /* it is there, so it must not look like a delete */
        to->unreadable = "the document has no _source";
        return;
    }
    to->content.missing = source_documents_marked(from->source, deleted_field);
    struct slice *cells = arena_zalloc(arena, schema->column_count * sizeof *cells);
    bool extra = false;
    struct err err = {0};
    if (map_document_cells(schema, from->source, cells, &extra, arena, &err) &&
        map_document_ttl(schema, from->source, &to->ttl, &err)) {
        to->content.cells = cells;
        to->content.cell_count = schema->column_count;
    } else {
        to->unreadable = arena_copy(arena, slice_str(err.text)).ptr;
    }
    if (extra || to->unreadable || schema->every_field)
        to->source = arena_copy(arena, from->source->raw);
}

static void on_documents(void *ctx, const struct es_document *documents, size_t count,
                         const struct err *err)
{
    struct reading *r = ctx;
    if (err) {
        fail(r, err);
    } else if (r->out && count != r->expected) {
        struct err wrong = {0};
        err_set(&wrong, ERR_PROTOCOL, "elasticsearch answered %zu documents for %zu ids", count,
                r->expected);
        fail(r, &wrong);
    } else {
        if (!r->out) {
            r->entries = arena_zalloc(r->arena, (count + 1) * sizeof *r->entries);
            if (!r->bare)
                r->out = arena_alloc(r->arena, (count + 1) * sizeof *r->out);
        }
        r->count = count;
        for (size_t i = 0; i < count; i++) {
            if (r->out)
                source_documents_take(r->schema, r->deleted_field, &documents[i], r->arena,
                                      &r->out[i]);
            if (r->entries) {
                r->entries[i].key = arena_copy(r->arena, documents[i].id);
                r->entries[i].version = documents[i].version;
            }
        }
    }
    io_group_done(&r->group);
}

static bool read_together(struct es_client *client, const struct map_schema *schema,
                          struct slice deleted_field, const struct slice *keys, size_t count,
                          struct change_document *out, struct arena *arena, struct err *err)
{
    struct reading r = {.schema = schema,
                        .deleted_field = deleted_field,
                        .arena = arena,
                        .out = out,
                        .expected = count,
                        .err = err};
    io_group_add(&r.group);
    if (!es_mget(client, keys, count, on_documents, &r, err))
        return false;
    io_group_wait(&r.group);
    return !r.failed;
}

bool source_documents_read(struct es_client *client, const struct map_schema *schema,
                           struct slice deleted_field, const struct slice *keys, size_t count,
                           struct change_document *out, struct arena *arena, struct err *err)
{
    struct err own = {0};
    if (count == 0 || read_together(client, schema, deleted_field, keys, count, out, arena, &own))
        return true;
    if (own.code != ERR_TOO_LARGE || count == 1) {
        if (err)
            *err = own;
        return false;
    }
    /* The answer is too long to take: half as many documents may fit. */
    const size_t half = count / 2;
    return source_documents_read(client, schema, deleted_field, keys, half, out, arena, err) &&
           source_documents_read(client, schema, deleted_field, keys + half, count - half,
                                 out + half, arena, err);
}

static void on_opened(void *ctx, struct es_feed *feed, const struct err *err)
{
    struct reading *r = ctx;
    if (err)
        fail(r, err);
    r->feed = feed;
    io_group_done(&r->group);
}

static bool open_feed(struct documents *d, int64_t since, int64_t until, int64_t from_seq_no,
                      struct err *err)
{
    const bool whole = d->marked && d->window.whole;
    const struct es_feed_options options = {
        .since = since,
        .until = until,
        .from_seq_no = from_seq_no,
        .given = d->given,
        .given_count = whole ? d->given_count : 0,
        .no_source = d->bare,
        .many = d->bare && d->count_before >= BARE_PAGE_SIZE,
        .page_size = d->bare ? BARE_PAGE_SIZE : PAGE_SIZE,
    };
    struct reading r = {.err = err};
    io_group_add(&r.group);
    if (!es_feed_open(d->client, &options, on_opened, &r, err))
        return false;
    io_group_wait(&r.group);
    d->feed = r.feed;
    return !r.failed;
}

static void documents_close(struct source *source)
{
    struct documents *d = (struct documents *)source;
    if (d->feed)
        es_feed_close(d->feed);
    d->feed = NULL;
}

/* Another index, or a history that went back, has another id. */
static bool covers(const struct mark *mark, const struct documents *d)
{
    return mark->history.id != 0 && mark->history.id == d->history.id &&
           mark->since <= d->window.since;
}

static bool documents_open(struct source *source, const struct source_window *window,
                           struct err *err)
{
    struct documents *d = (struct documents *)source;
    d->window = *window;
    const struct mark *mark = window->whole ? &d->whole : &d->last;
    d->marked = covers(mark, d);
    d->bare = false;
    if (d->marked)
        return open_feed(d, window->since, 0, mark->history.seq_no + 1, err);
    d->count_before = d->count;
    d->count = 0;
    d->bare = window->known >= window->since && window->known < INT64_MAX &&
              d->count_before >= DIVIDE_FROM;
    d->rest = d->bare ? window->known + 1 : 0;
    return open_feed(d, window->since, d->bare ? window->known : 0, 0, err);
}

/* A document whose version rises meanwhile is in both parts rather than in none. */
static bool open_rest(struct documents *d, struct err *err)
{
    documents_close(&d->source);
    d->bare = false;
    return open_feed(d, d->rest, 0, 0, err);
}

bool source_documents_refresh(struct source *source, struct err *err)
{
    struct documents *d = (struct documents *)source;
    d->history = (struct source_history){0};
    /* What is left out has to be worth a request more; the first window may be the base of many. */
    if ((!d->asked || d->count >= DIVIDE_FROM) && !source_history_read(d->client, &d->history, err))
        return false;
    d->asked = true;
    return await_es_refresh(d->client, err);
}

/* Two neighbours as one: what both gave, or less. */
static void join_given(struct documents *d)
{
    static_assert(GIVEN_MAX % 2 == 0, "each one has a neighbour");
    size_t kept = 0;
    for (size_t i = 0; i + 1 < d->given_count; i += 2) {
        const struct es_given *a = &d->given[i], *b = a + 1;
        d->given[kept++] = (struct es_given){b->seq_no, a->since > b->since ? a->since : b->since};
    }
    d->given_count = kept;
}

/* The window gave each document with a version from its since up that has an operation behind those
 * of the window before it, and none of both histories was ever rolled back. */
static void note_given(struct documents *d)
{
    const struct es_given given = {d->history.seq_no, d->window.since};
    const int64_t before =
        d->given_count > 0 ? d->given[d->given_count - 1].seq_no : d->whole.history.seq_no;
    if (d->history.id == 0 || d->history.id != d->whole.history.id || given.seq_no <= before)
        return;
    if (d->given_count == GIVEN_MAX)
        join_given(d);
    d->given[d->given_count++] = given;
}

static void documents_done(struct source *source)
{
    struct documents *d = (struct documents *)source;
    const struct mark mark = {d->window.since, d->history};
    d->last = mark;
    if (d->window.whole) {
        d->whole = mark;
        d->given_count = 0;
    } else {
        note_given(d);
    }
    /* Operations from here on may be in the windows to come without having been in this one. */
    d->history = (struct source_history){0};
}

static bool documents_next(struct source *source, struct source_page *page, struct arena *arena,
                           struct err *err)
{
    struct documents *d = (struct documents *)source;
    *page = (struct source_page){0};
    struct reading r = {.schema = d->schema,
                        .deleted_field = d->deleted_field,
                        .arena = arena,
                        .err = err,
                        .bare = d->bare};
    io_group_add(&r.group);
    if (!es_feed_next(d->feed, on_documents, &r, err))
        return false;
    io_group_wait(&r.group);
    if (r.failed)
        return false;
    if (r.count == 0 && d->bare)
        return open_rest(d, err) && documents_next(source, page, arena, err);
    page->entries = r.entries;
    page->documents = r.out;
    page->count = (uint32_t)r.count;
    if (!d->marked)
        d->count += r.count;
    return true;
}

static bool documents_highest(struct source *source, int64_t *version, struct err *err)
{
    struct documents *d = (struct documents *)source;
    bool found = false;
    *version = 0;
    return await_es_max_timestamp(d->client, &found, version, err);
}

static void documents_free(struct source *source)
{
    free(source);
}

static const struct source_ops documents_ops = {
    .side = CHANGE_ELASTICSEARCH,
    .open = documents_open,
    .next = documents_next,
    .close = documents_close,
    .done = documents_done,
    .highest = documents_highest,
    .free = documents_free,
};

struct source *source_documents_new(struct es_client *client, const struct map_schema *schema,
                                    struct slice deleted_field)
{
    struct documents *d = mem_zalloc(sizeof *d);
    d->source.ops = &documents_ops;
    d->client = client;
    d->schema = schema;
    d->deleted_field = deleted_field;
    return &d->source;
}
