#include "base/clock.h"
#include "base/mem.h"
#include "job/load_rows.h"
#include "map/convert.h"

#include <stdlib.h>

/* Rows become documents, a page a bulk. */

void load_page_open(struct load_page *p, struct load *l)
{
    *p = (struct load_page){.l = l};
    load_bulk_open(&p->bulk, l, &p->arena);
}

void load_page_close(struct load_page *p)
{
    load_bulk_close(&p->bulk);
    load_rest_free(&p->rest);
    arena_free(&p->arena);
    arena_free(&p->keys[0]);
    arena_free(&p->keys[1]);
    free((void *)p->items);
    buf_free(&p->raw);
}

void load_page_reset(struct load_page *p)
{
    arena_reset(&p->arena);
    load_bulk_reset(&p->bulk);
    p->count = 0;
    p->rows = 0;
}

static const struct slice *copy_cells(struct load_page *p, const struct change_content *content)
{
    struct slice *cells = arena_alloc(&p->arena, (content->cell_count + 1) * sizeof *cells);
    for (uint32_t i = 0; i < content->cell_count; i++)
        cells[i] = arena_copy(&p->arena, content->cells[i]);
    return cells;
}

static void add_item(struct load_page *p, struct slice key, const struct change_row *row,
                     int64_t version, bool direct)
{
    if (p->count == p->room) {
        p->room = p->room ? 2 * p->room : 1024;
        p->items = mem_realloc((void *)p->items, p->room * sizeof *p->items);
    }
    struct load_item *item = arena_alloc(&p->arena, sizeof *item);
    *item = (struct load_item){
        .key.text = arena_copy(&p->arena, key), .version = version, .ttl = row->ttl};
    p->items[p->count++] = item;
    if (direct)
        load_bulk_add(&p->bulk, item, row->content.cells, NULL, false);
    else
        item->cells = copy_cells(p, &row->content);
}

bool load_page_take(struct load_page *p, struct slice key, const struct change_row *row,
                    bool direct, struct err *err)
{
    struct load *l = p->l;
    enum load_verdict verdict;
    int64_t version;
    if (!load_judge(l, key, row, &verdict, &version, err))
        return false;
    switch (verdict) {
    case LOAD_SKIP:
        l->report->skipped++;
        return true;
    case LOAD_LATER:
        load_rest_later(&p->rest, key);
        return true;
    case LOAD_VERSION_IN_FUTURE:
    case LOAD_WRITTEN_IN_FUTURE:
        load_rest_letter(l, &p->rest, key, version, load_future_name(verdict),
                         load_future_text(verdict), SLICE_NULL);
        return true;
    case LOAD_COPY:
        break;
    }
    if (version <= 0 && l->o->stores->options->table.unit_us == 0)
        return err_set(err, ERR_CONFIG,
                       "row %.*s has no entry (any more), and versions are no time: nobody knows "
                       "its version; give CassandraConfig.versionColumn",
                       SLICE_ARG(key));
    /* Nobody knows when it was written: whatever else there is is newer. */
    add_item(p, key, row, version > 0 ? version : 1, direct);
    return true;
}

/* --- one attempt, and the next */

/* What a refused row looked like: as far as it can be told. */
static void bury(struct load_page *p, const struct load_item *item)
{
    const struct job_stores *stores = p->l->o->stores;
    const struct map_schema *schema = stores->table.schema;
    struct slice *cells = arena_alloc(&p->arena, (schema->key_count + 1) * sizeof *cells);
    struct change_key key = {.text = item->key.text, .cells = cells};
    struct change_row row;
    struct buf payload = {0};
    struct err own = {0};
    if (!map_key_parse(schema, item->key.text, cells, &p->arena, &own) ||
        !source_rows_read(stores->rows, &key, 1, &row, &p->arena, &own) || row.content.missing ||
        !map_document_render(schema, row.content.cells, SLICE_NULL, 0, NULL, &payload, &own))
        buf_clear(&payload);
    load_rest_letter(p->l, &p->rest, item->key.text, item->version, item->rule, item->reason,
                     payload.len ? buf_slice(&payload) : SLICE_NULL);
    buf_free(&payload);
}

/* The items that are open stand first in the list of those to be tried again. */
static void take_outcomes(struct load_page *p, size_t tried)
{
    struct arena *to = &p->keys[p->turn];
    const size_t left = p->again_count - tried;
    struct slice *again = arena_alloc(to, (p->count + left + 1) * sizeof *again);
    size_t count = 0;
    for (size_t i = 0; i < p->count; i++) {
        if (p->items[i]->outcome == LOAD_OPEN)
            again[count++] = arena_copy(to, p->items[i]->key.text);
        else if (p->items[i]->outcome == LOAD_REFUSED)
            bury(p, p->items[i]);
    }
    p->troubled = count > 0;
    for (size_t i = 0; i < left; i++)
        again[count++] = arena_copy(to, p->again[tried + i]);
    p->again = again;
    p->again_count = count;
    p->turn = !p->turn;
    arena_reset(&p->keys[p->turn]);
}

/* tried: of the keys in p->again. What fails for a while stays open. */
bool load_page_attempt(struct load_page *p, size_t tried, bool direct, struct err *err)
{
    struct err own = {0};
    const bool fine = direct ? load_bulk_send(&p->bulk, &own)
                             : load_bulk_merge(&p->bulk, p->items, p->count, &own);
    if (!fine && err_class_of(own.code) != ERR_CLASS_RETRY) {
        *err = own;
        return false;
    }
    if (!fine)
        job_flow_failed(&p->l->elasticsearch, own.code);
    take_outcomes(p, tried);
    return true;
}

static bool read_again(struct load_page *p, size_t count, struct err *err)
{
    const struct job_stores *stores = p->l->o->stores;
    const struct map_schema *schema = stores->table.schema;
    struct change_key *keys = arena_alloc(&p->arena, (count + 1) * sizeof *keys);
    struct change_row *rows = arena_alloc(&p->arena, (count + 1) * sizeof *rows);
    for (size_t i = 0; i < count; i++) {
        struct slice *cells = arena_alloc(&p->arena, (schema->key_count + 1) * sizeof *cells);
        keys[i] = (struct change_key){.text = p->again[i], .cells = cells};
        if (!map_key_parse(schema, p->again[i], cells, &p->arena, err))
            return false; /* it was one before */
    }
    for (;;) {
        p->bulk.read_us = clock_mono_us();
        if (source_rows_read(stores->rows, keys, count, rows, &p->arena, err))
            break;
        if (!load_retries_failed(p->l, &p->l->cassandra, err))
            return false;
    }
    job_flow_went_well(&p->l->cassandra);
    for (size_t i = 0; i < count; i++) {
        if (!rows[i].content.missing && !load_page_take(p, p->again[i], &rows[i], false, err))
            return false;
    }
    return true;
}

static void say_late(struct load *l)
{
    if (!l->rows->said_late)
        load_note(l, "reading a single row takes longer than a quarter of the overlap: it goes on "
                     "trying; a longer sync.overlap helps");
    l->rows->said_late = true;
}

/* Until nothing is left; what failed is read anew. */
bool load_page_finish(struct load_page *p, struct err *err)
{
    size_t limit = p->again_count;
    while (p->again_count > 0) {
        if (!load_goes_on(p->l, 0, err))
            return false;
        if (p->troubled && !p->bulk.too_large && !p->bulk.late) {
            err_set(err, ERR_OVERLOADED, "elasticsearch does not take what it is sent");
            if (!load_retries(p->l, &p->l->elasticsearch, err))
                return false;
        }
        if (p->bulk.too_large || p->bulk.late)
            limit = limit / 2 > 1 ? limit / 2 : 1;
        if (limit > p->l->elasticsearch.batch)
            limit = p->l->elasticsearch.batch;
        const size_t count = p->again_count < limit ? p->again_count : limit;
        load_page_reset(p);
        load_bulk_enter(&p->bulk);
        const bool fine = read_again(p, count, err) && load_page_attempt(p, count, false, err);
        load_bulk_leave(&p->bulk);
        if (!fine)
            return false;
        if (p->bulk.late && count == 1)
            say_late(p->l);
    }
    return load_rest_write_letters(p->l, &p->rest, err);
}
