#include "job/load_rows.h"

#include "base/clock.h"
#include "source/await.h"
#include "source/scan.h"

#include <stdlib.h>
#include <string.h>

/* The parts of a load from Cassandra: ranges of tokens, page by page. */

static void take_scanned(void *ctx, const struct source_scanned *row)
{
    struct load_page *p = ctx;
    p->rows++;
    p->token = row->token;
    if (p->failed)
        return;
    if (row->unusable) {
        buf_clear(&p->raw);
        source_append_raw_key(p->l->o->stores->table.schema, row->key.cells, &p->raw);
        load_rest_letter(p->l, &p->rest, buf_slice(&p->raw), row->row.version, "key", row->unusable,
                         SLICE_NULL);
    } else if (!load_page_take(p, row->key.text, &row->row, p->direct, &p->err)) {
        p->failed = true;
    }
}

static bool scan_page(struct load_page *p, struct source_range *range, struct err *err)
{
    struct load *l = p->l;
    const uint32_t limit = load_limit(l, l->elasticsearch.batch);
    const int64_t since = clock_mono_us();
    if (range->page_size > limit)
        range->page_size = limit;
    load_page_reset(p);
    load_rest_reset(&p->rest);
    p->bulk.read_us = since;
    const bool fine = source_scan_page(l->rows->scan, range, take_scanned, p, err);
    l->cassandra.waited_us += (uint64_t)(clock_mono_us() - since);
    if (!fine) {
        job_flow_failed(&l->cassandra, err->code);
        if (err->code == ERR_TIMEOUT && range->page_size > 10)
            range->page_size /= 2;
        return false;
    }
    job_flow_went_well(&l->cassandra);
    if (p->failed)
        *err = p->err;
    return !p->failed;
}

struct asking {
    const struct load *home;
    bool routed;
};

static void ask_home(void *ctx)
{
    struct asking *a = ctx;
    a->routed = es_client_routed(a->home->o->stores->elasticsearch);
}

/* Not directly into an index with documents that have a routing: without it a second one would
 * come beside such a document. The cycles, at home, notice the first; this thread's client then has
 * to know it too, to find them. */
static bool choose_way(struct load_page *p, struct err *err)
{
    struct load *l = p->l;
    struct es_client *client = l->o->stores->elasticsearch;
    struct asking asking = {.home = load_home(l)};
    load_at_home(l, ask_home, &asking);
    while (asking.routed && !es_client_routed(client) && !await_es_routing(client, err)) {
        if (!load_retries_failed(l, &l->elasticsearch, err))
            return false;
    }
    p->direct = l->rows->direct && !asking.routed;
    return true;
}

static bool copy_page(struct load_page *p, struct source_range *range, uint32_t number,
                      struct store_load_part *part, struct err *err)
{
    struct load *l = p->l;
    if (!choose_way(p, err))
        return false;
    while (!scan_page(p, range, err)) {
        if (p->failed || !load_retries(l, &l->cassandra, err))
            return false;
    }
    const uint32_t rows = p->rows; /* what is tried again is counted once */
    p->again_count = 0;
    if (!load_page_attempt(p, 0, p->direct, err) || !load_page_finish(p, err))
        return false;
    l->report->records += rows;
    part->done = range->ended;
    /* More rows of the last token may follow. */
    if (rows > 0 && p->token > INT64_MIN + 1 && p->token - 1 > part->position)
        part->position = p->token - 1;
    return load_part_done(l, number, part, p->rest.later, p->rest.later_count, err) &&
           load_goes_on(l, rows, err);
}

bool load_rows_part(struct load *l, uint32_t number, struct err *err)
{
    struct load_page page;
    struct source_range range;
    struct store_load_part part = load_part(l, number);
    if (part.done)
        return true;
    bool fine = true;
    load_page_open(&page, l);
    source_range_open(&range, part.position, part.high);
    while (fine && !range.ended)
        fine = copy_page(&page, &range, number, &part, err);
    source_range_close(&range);
    load_page_close(&page);
    return fine;
}

bool load_rows_again(struct load *l, const struct slice *keys, size_t count, struct err *err)
{
    struct load_page page;
    load_page_open(&page, l);
    page.again = arena_alloc(&page.keys[1], (count + 1) * sizeof *page.again);
    memcpy(page.again, keys, count * sizeof *keys);
    page.again_count = count;
    const bool fine = load_page_finish(&page, err);
    load_page_close(&page);
    return fine;
}
