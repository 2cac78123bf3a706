#include "job/verify_internal.h"

#include "base/mem.h"
#include "map/convert.h"
#include "source/await.h"
#include "source/documents.h"
#include "source/scan.h"

#include <stdlib.h>

enum { PAGE_MAX = 5000, PAGE_MIN = 10, PAGE_BYTES = 2 << 20, SLICES = 2, LOOK_MS = 50 };
enum { PAGE_SECONDS = 60 }; /* at the rate: well below the time that a feed stays open unread */
enum { SAMPLE_MAX = 10000, SAMPLE_ROWS = 100 };

/* --- documents */

struct reading {
    struct verify *v;
    struct es_feed *feed;
    struct io_group group;
    struct arena arena; /* of one document */
    struct slice *cells;
    bool ahead; /* asks for the next page before it looks at this one */
    bool ended, failed;
    struct io_wake *over; /* raised at one of these */
    struct err err;
};

static void fail(struct reading *r, const struct err *err)
{
    r->failed = true;
    r->err = *err;
    if (r->over)
        io_wake_raise(r->over);
}

static bool add_doubt(struct verify *v, int64_t token, struct slice key, int64_t entry,
                      struct err *err)
{
    const struct doubt doubt = {
        .token = token, .key = key, .entry_version = entry, .write_time = CHANGE_NO_WRITE_TIME};
    return verify_doubt(v->doubts, &doubt, err);
}

/* No token is that low; where documents are doubts nobody sorts them. */
static bool unparsable(struct verify *v, const struct es_document *document, struct err *err)
{
    const struct job_difference difference = {
        .key = document->id, .kind = JOB_UNPARSABLE, .elasticsearch_version = document->version};
    const struct job_sorted record = {.token = INT64_MIN,
                                      .key = document->id,
                                      .version = document->version,
                                      .flags = VERIFY_UNPARSABLE};
    if (!v->o->since && !v->o->sample)
        return job_sorter_add(v->documents[0], &record, err);
    v->report->compared++;
    verify_found(v, &difference);
    return true;
}

static bool add_document(struct reading *r, const struct es_document *document, int64_t token,
                         struct err *err)
{
    struct verify *v = r->v;
    const struct map_schema *schema = v->o->stores->table.schema;
    struct job_sorted record = {.token = token, .key = document->id, .version = document->version};
    struct err bad = {0};
    struct change_content content = {.cells = r->cells, .cell_count = schema->column_count};
    if (document->source &&
        source_documents_marked(document->source, v->o->stores->options->deleted_field))
        record.flags = VERIFY_DELETED;
    else if (!document->source ||
             !map_document_cells(schema, document->source, r->cells, NULL, &r->arena, &bad))
        record.flags = VERIFY_UNREADABLE;
    else
        record.hash = map_content_hash(schema, &content, false);
    return job_sorter_add(v->documents[verify_part_of(v, token)], &record, err);
}

static bool take_document(struct reading *r, const struct es_document *document, struct err *err)
{
    struct verify *v = r->v;
    const struct map_schema *schema = v->o->stores->table.schema;
    struct slice keys[64]; /* more columns than a primary key has */
    struct err bad = {0};
    int64_t token;
    arena_reset(&r->arena);
    if (schema->key_count > ARRAY_LEN(keys))
        return err_set(err, ERR_SCHEMA, "a primary key of %u columns", schema->key_count);
    if (!verify_token(schema, document->id, &r->arena, keys, &token, &bad))
        return unparsable(v, document, err);
    if (token <= v->o->low || token > v->o->high)
        return true;
    v->report->documents++;
    if (v->o->since || v->o->sample)
        return add_doubt(v, token, document->id, 0, err);
    return add_document(r, document, token, err);
}

static void take_documents(struct reading *r, const struct es_document *documents, size_t count)
{
    for (size_t i = 0; i < count && !r->failed; i++) {
        struct err err = {0};
        if (!take_document(r, &documents[i], &err))
            fail(r, &err);
    }
}

static void on_page(void *ctx, const struct es_document *documents, size_t count,
                    const struct err *err);

static bool ask(struct reading *r, struct err *err)
{
    io_group_add(&r->group);
    if (es_feed_next(r->feed, on_page, r, err))
        return true;
    io_group_done(&r->group);
    return false;
}

static void on_page(void *ctx, const struct es_document *documents, size_t count,
                    const struct err *err)
{
    struct reading *r = ctx;
    struct err bad = {0};
    if (err) {
        fail(r, err);
    } else if (count == 0) {
        r->ended = true;
        if (r->over)
            io_wake_raise(r->over);
    } else {
        if (r->ahead && !r->failed && !r->v->o->stop->raised && !ask(r, &bad))
            fail(r, &bad);
        take_documents(r, documents, count);
    }
    io_group_done(&r->group);
}

static void on_feed(void *ctx, struct es_feed *feed, const struct err *err)
{
    struct reading *r = ctx;
    if (err)
        fail(r, err);
    r->feed = feed;
    io_group_done(&r->group);
}

static uint32_t page_size(int64_t rate)
{
    if (rate == 0 || rate > PAGE_MAX / PAGE_SECONDS)
        return PAGE_MAX;
    return rate * PAGE_SECONDS < PAGE_MIN ? PAGE_MIN : (uint32_t)rate * PAGE_SECONDS;
}

/* Slice number i of this thread's; where there are several, the first one has given a page before
 * another is opened. */
static bool open_feed(struct reading *all, uint32_t i, uint32_t count)
{
    struct reading *r = &all[i];
    const struct verify *v = r->v;
    const struct job_verify *o = v->o;
    const struct slice moment = v->home ? buf_slice(v->home->moment)
                                : i     ? es_feed_moment(all->feed)
                                        : SLICE_NULL;
    const struct es_feed_options options = {
        .all = o->since == 0,
        .since = o->since,
        .page_size = page_size(o->rate),
        .page_bytes = PAGE_BYTES,
        .slice = v->part * count + i,
        .slices = count > 1 ? v->parts * count : 1,
        .moment = moment,
    };
    io_group_add(&r->group);
    if (!es_feed_open(o->stores->elasticsearch, &options, on_feed, r, &r->err))
        io_group_done(&r->group);
    io_group_wait(&r->group);
    return r->feed != NULL;
}

static bool open_feeds(struct reading *all, uint32_t count)
{
    for (uint32_t i = 0; i < count; i++) {
        if (!open_feed(all, i, count))
            return false;
        if (i + 1 < count && !ask(&all[i], &all[i].err))
            return false;
        io_group_wait(&all[i].group);
        if (all[i].failed)
            return false;
    }
    return true;
}

/* Page by page, or (without a rate) as fast as they come with a look at the clock in between. */
static bool read_pages(struct verify *v, struct reading *all, uint32_t count, struct err *err)
{
    struct io_wake *over = all->over;
    for (uint32_t i = 0; i < count; i++)
        all[i].ahead = v->o->rate == 0;
    for (bool more = true; more;) {
        const int64_t before = v->report->documents;
        more = false;
        over->raised = false;
        for (uint32_t i = 0; i < count; i++) {
            struct reading *r = &all[i];
            if (r->failed || (!r->ended && r->group.pending == 0 && !ask(r, &r->err)))
                return false;
            more = more || !r->ended;
        }
        if (more && v->o->rate == 0)
            io_sleep(v->o->stores->loop, LOOK_MS, over);
        else
            io_group_wait(&all[0].group);
        if (!verify_goes_on(v, v->report->documents - before, err) || !verify_rows_fine(v, err))
            return false;
    }
    return true;
}

/* The last one first: others read the moment of the first. */
static void close_feeds(struct reading *all, uint32_t count)
{
    for (uint32_t i = 0; i < count; i++)
        all[i].ahead = false;
    for (uint32_t i = 0; i < count; i++)
        io_group_wait(&all[i].group);
    for (uint32_t i = count; i-- > 0;) {
        if (all[i].feed)
            es_feed_close(all[i].feed);
        arena_free(&all[i].arena);
        free(all[i].cells);
    }
}

/* --- of one thread, of all */

struct verify_feeds {
    struct reading all[SLICES];
    uint32_t count;
    struct io_wake over;
};

static bool divides(const struct verify *v)
{
    return !v->o->since && v->o->rate == 0 && es_feed_divides(v->o->stores->elasticsearch);
}

static bool feeds_open(struct verify *v, struct verify_feeds *feeds)
{
    *feeds = (struct verify_feeds){.count = divides(v) ? SLICES : 1};
    for (uint32_t i = 0; i < feeds->count; i++) {
        feeds->all[i].v = v;
        feeds->all[i].over = &feeds->over;
        feeds->all[i].cells =
            mem_array(v->o->stores->table.schema->column_count + 1, sizeof(struct slice));
    }
    return open_feeds(feeds->all, feeds->count);
}

static void feeds_close(struct verify_feeds *feeds, bool fine, struct err *err)
{
    close_feeds(feeds->all, feeds->count);
    for (uint32_t i = 0; i < feeds->count && !fine && err; i++) {
        if (feeds->all[i].err.code != ERR_NONE)
            *err = feeds->all[i].err;
    }
}

/* Home's are open. */
static bool read_mine(struct verify *v, struct err *err)
{
    struct verify_feeds own;
    if (!v->home)
        return read_pages(v, v->feeds->all, v->feeds->count, err);
    const bool fine = feeds_open(v, &own) && read_pages(v, own.all, own.count, err);
    feeds_close(&own, fine, err);
    return fine;
}

/* All threads read at the moment of home's first feed, which is closed last. */
static bool read_all(struct verify *v, struct err *err)
{
    if (v->parts == 1 || !divides(v))
        return read_mine(v, err);
    struct buf moment = {0};
    buf_append_slice(&moment, es_feed_moment(v->feeds->all[0].feed));
    v->moment = &moment;
    const bool fine = verify_each(v, read_mine, err);
    v->moment = NULL;
    buf_free(&moment);
    return fine;
}

bool verify_read_documents(struct verify *v, struct err *err)
{
    struct verify_feeds feeds;
    v->phase = "documents";
    v->share = 0.0;
    if (!await_es_refresh(v->o->stores->elasticsearch, err))
        return false;
    v->feeds = &feeds;
    const bool fine = feeds_open(v, &feeds) && read_all(v, err);
    feeds_close(&feeds, fine, err);
    v->feeds = NULL;
    return fine;
}

/* --- entries */

static struct job_sorter *entries_of(struct verify *v, int64_t token)
{
    return verify_of_part(v, verify_part_of(v, token))->entries;
}

bool verify_read_entries(struct verify *v, int64_t since, bool doubts, struct err *err)
{
    struct source *s = v->o->stores->series;
    const struct map_schema *schema = v->o->stores->table.schema;
    struct arena arena = {0};
    struct source_page page;
    v->phase = "entries";
    if (!s->ops->open(s, &(struct source_window){.since = since}, err))
        return false;
    bool fine;
    do {
        arena_reset(&arena);
        fine = s->ops->next(s, &page, &arena, err);
        struct slice *cells = arena_alloc(&arena, schema->key_count * sizeof *cells);
        for (uint32_t i = 0; fine && i < page.count; i++) {
            struct job_sorted record = {.key = page.entries[i].key,
                                        .version = page.entries[i].version};
            if (page.entries[i].unusable ||
                !verify_token(schema, record.key, &arena, cells, &record.token, NULL) ||
                record.token <= v->o->low || record.token > v->o->high)
                continue; /* its row is found by itself, or not asked for */
            fine = doubts ? add_doubt(v, record.token, record.key, record.version, err)
                          : job_sorter_add(entries_of(v, record.token), &record, err);
        }
        fine = fine && verify_goes_on(v, 0, err);
    } while (fine && page.count > 0);
    s->ops->close(s);
    arena_free(&arena);
    return fine;
}

/* --- samples */

static void on_sample(void *ctx, const struct es_document *documents, size_t count,
                      const struct err *err)
{
    struct reading *r = ctx;
    if (err)
        fail(r, err);
    else
        take_documents(r, documents, count);
    io_group_done(&r->group);
}

static bool sample_documents(struct verify *v, struct err *err)
{
    const struct job_stores *stores = v->o->stores;
    const uint32_t count = v->o->sample > SAMPLE_MAX ? SAMPLE_MAX : (uint32_t)v->o->sample;
    struct reading r = {.v = v};
    if (!await_es_refresh(stores->elasticsearch, err))
        return false;
    io_group_add(&r.group);
    if (!es_sample(stores->elasticsearch, count, (uint32_t)random(), on_sample, &r, err))
        return false;
    io_group_wait(&r.group);
    arena_free(&r.arena);
    if (r.failed && err)
        *err = r.err;
    return !r.failed;
}

struct sampled_rows {
    struct verify *v;
    uint32_t count; /* of this sample */
    bool failed;
    struct err err;
};

static void take_row(void *ctx, const struct source_scanned *row)
{
    struct sampled_rows *s = ctx;
    s->count++;
    if (s->failed || row->unusable)
        return;
    s->v->report->rows++;
    s->failed = !add_doubt(s->v, row->token, row->key.text, 0, &s->err);
}

static int64_t random_token(const struct job_verify *o)
{
    const uint64_t width = (uint64_t)o->high - (uint64_t)o->low;
    const uint64_t any = (uint64_t)random() << 33 ^ (uint64_t)random() << 11 ^ (uint64_t)random();
    return (int64_t)((uint64_t)o->low + (width > 0 ? any % width : 0));
}

static bool sample_range(struct sampled_rows *s, struct source_scan *scan, int64_t low,
                         int64_t high, struct err *err)
{
    struct source_range range;
    source_range_open(&range, low, high);
    range.page_size = SAMPLE_ROWS - s->count;
    const bool fine = source_scan_page(scan, &range, take_row, s, err);
    source_range_close(&range);
    return fine;
}

/* From a random place on; what is missing at the end comes from the begin, or the first rows would
 * be taken less often than others. */
static bool sample_page(struct sampled_rows *s, struct source_scan *scan, struct err *err)
{
    const struct job_verify *o = s->v->o;
    const int64_t token = random_token(o);
    s->count = 0;
    return sample_range(s, scan, token, o->high, err) &&
           (s->count >= SAMPLE_ROWS || sample_range(s, scan, o->low, token, err));
}

/* One page from each of some random places of the ring. */
static bool sample_rows(struct verify *v, struct err *err)
{
    const struct job_stores *stores = v->o->stores;
    const struct source_scan_options options = {.times = false};
    struct source_scan *scan =
        source_scan_new(stores->cassandra, &stores->table, &stores->options->table, &options, err);
    struct sampled_rows s = {.v = v};
    bool fine = scan != NULL;
    for (int64_t got = 0; fine && got < v->o->sample; got += SAMPLE_ROWS)
        fine = sample_page(&s, scan, err) && verify_goes_on(v, SAMPLE_ROWS, err);
    source_scan_free(scan);
    if (fine && s.failed && err)
        *err = s.err;
    return fine && !s.failed;
}

bool verify_sample(struct verify *v, struct err *err)
{
    v->phase = "sample";
    return verify_read_entries(v, 1, false, err) && sample_rows(v, err) &&
           sample_documents(v, err) && verify_join_entries(v, err);
}
