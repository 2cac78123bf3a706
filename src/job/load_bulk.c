#include "job/load_bulk.h"

#include "base/clock.h"
#include "base/mem.h"
#include "map/convert.h"
#include "source/documents.h"
#include "source/index.h"

#include <stdlib.h>

void load_bulk_open(struct load_bulk *b, struct load *l, struct arena *arena)
{
    const struct job_stores *stores = l->o->stores;
    *b = (struct load_bulk){.l = l,
                            .arena = arena,
                            .timestamp_field =
                                es_client_version(stores->elasticsearch)->meta_timestamp
                                    ? SLICE_NULL
                                    : stores->options->timestamp_field,
                            .present = json_doc_new()};
}

void load_bulk_close(struct load_bulk *b)
{
    buf_free(&b->body);
    buf_free(&b->rendered);
    free((void *)b->sent);
    json_doc_free(b->present);
}

void load_bulk_reset(struct load_bulk *b)
{
    b->count = 0;
    b->too_large = b->late = false;
    buf_clear(&b->body);
}

static void refuse(const struct load_bulk *b, struct load_item *item, const struct err *err)
{
    item->outcome = LOAD_REFUSED;
    item->rule = err_code_name(err->code);
    item->reason = arena_copy(b->arena, slice_of(err->text, strlen(err->text) + 1)).ptr;
}

static bool render(struct load_bulk *b, const struct load_item *item, const struct slice *cells,
                   const struct change_document *present, struct err *err)
{
    const struct map_schema *schema = b->l->o->stores->table.schema;
    const struct json_node *kept = NULL;
    if (present && !slice_is_null(present->source)) {
        if (!json_parse(b->present, present->source, false, err))
            return false;
        kept = json_root(b->present);
    }
    buf_clear(&b->rendered);
    if (!map_document_render(schema, cells, b->timestamp_field, item->version, kept, &b->rendered,
                             err))
        return false;
    if (item->ttl > 0)
        map_document_add_number(&b->rendered, schema->ttl_field, item->ttl);
    return true;
}

void load_bulk_add(struct load_bulk *b, struct load_item *item, const struct slice *cells,
                   const struct change_document *present, bool gte)
{
    struct err err = {0};
    const struct es_action action = {.id = item->key.text,
                                     .routing = present ? present->routing : SLICE_NULL,
                                     .version = item->version,
                                     .gte = gte};
    if (!render(b, item, cells, present, &err) ||
        !es_bulk_index(b->l->o->stores->elasticsearch, &b->body, &action, buf_slice(&b->rendered),
                       &err)) {
        refuse(b, item, &err);
        return;
    }
    if (b->count == b->room) {
        b->room = b->room ? 2 * b->room : 1024;
        b->sent = mem_realloc((void *)b->sent, b->room * sizeof *b->sent);
    }
    b->sent[b->count++] = item;
}

/* --- sending */

struct sending {
    struct load_bulk *bulk;
    struct io_group group;
    enum err_code code; /* of what may work later; ERR_NONE: all went well */
    bool failed;        /* as a whole */
    struct err err;
};

static void take_item(struct sending *s, struct load_item *item, const struct es_bulk_item *from)
{
    struct job_load_report *report = s->bulk->l->report;
    struct err err = {0};
    if (from->code == ERR_NONE || from->code == ERR_CONFLICT) {
        item->outcome = LOAD_DONE;
        report->copied += from->code == ERR_NONE;
        report->superseded += from->code == ERR_CONFLICT;
    } else if (err_class_of(from->code) == ERR_CLASS_REJECT && from->code != ERR_NOT_FOUND) {
        err_set(&err, from->code, "%.*s", SLICE_ARG(from->reason));
        refuse(s->bulk, item, &err);
    } else { /* not found: it is the index that is missing */
        s->code = from->code == ERR_NOT_FOUND ? ERR_UNAVAILABLE : from->code;
    }
}

static void on_bulk(void *ctx, const struct es_bulk_item *items, size_t count,
                    const struct err *err)
{
    struct sending *s = ctx;
    if (err) {
        s->failed = true;
        s->err = *err;
        s->code = err->code;
    }
    for (size_t i = 0; !err && i < count; i++)
        take_item(s, s->bulk->sent[i], &items[i]);
    io_group_done(&s->group);
}

void load_bulk_enter(struct load_bulk *b)
{
    b->turn = job_flow_enter(&b->l->elasticsearch);
    b->entered = true;
}

void load_bulk_leave(struct load_bulk *b)
{
    if (b->entered)
        job_flow_give_up(&b->l->elasticsearch, b->turn);
    b->entered = false;
}

/* The cycles look at a delete for an overlap: what was read before it must have shown by then. */
static bool is_late(const struct load_bulk *b)
{
    const struct pipeline_options *o = b->l->o->stores->options;
    const int64_t most = o->overlap_us / 4 > o->settle_us ? o->overlap_us / 4 : o->settle_us;
    return clock_mono_us() - b->read_us > most;
}

/* False: not to be sent any more. */
static bool take_turn(struct load_bulk *b)
{
    if (!b->entered)
        load_bulk_enter(b);
    if (is_late(b)) {
        load_bulk_leave(b);
        load_bulk_reset(b);
        b->late = true;
        return false;
    }
    b->entered = false; /* given back with the answer */
    return true;
}

bool load_bulk_send(struct load_bulk *b, struct err *err)
{
    struct load *l = b->l;
    struct sending s = {.bulk = b};
    b->too_large = b->late = false;
    if (b->count == 0 || !take_turn(b))
        return true;
    struct buf body = b->body;
    const size_t bytes = body.len, count = b->count;
    b->body = (struct buf){0};
    io_group_add(&s.group);
    if (es_bulk(l->o->stores->elasticsearch, &body, count, on_bulk, &s, &s.err)) {
        io_group_wait(&s.group);
    } else {
        s.failed = true;
        s.code = s.err.code;
    }
    job_flow_leave(&l->elasticsearch, b->turn, s.code);
    if (!s.failed)
        l->report->bytes += (int64_t)bytes;
    if (s.failed && s.err.code == ERR_TOO_LARGE) {
        b->too_large = true;
        if (count == 1)
            refuse(b, b->sent[0], &s.err);
    } else if (s.failed && err_class_of(s.err.code) != ERR_CLASS_RETRY) {
        if (err)
            *err = s.err;
        return false;
    }
    b->count = 0;
    return true;
}

/* --- what is there */

static bool read_present(struct load_bulk *b, struct load_item **items, const size_t *places,
                         size_t count, struct change_document *out, struct err *err)
{
    const struct job_stores *stores = b->l->o->stores;
    struct slice *ids = arena_alloc(b->arena, (count + 1) * sizeof *ids);
    for (size_t i = 0; i < count; i++)
        ids[i] = items[places[i]]->key.text;
    return source_documents_read(stores->elasticsearch, stores->table.schema,
                                 stores->options->deleted_field, ids, count, out, b->arena, err);
}

static void add_older(struct load_bulk *b, struct load_item *item,
                      const struct change_document *there)
{
    const struct job_stores *stores = b->l->o->stores;
    const struct change_content row = {.cells = item->cells,
                                       .cell_count = stores->table.schema->column_count};
    const bool tie =
        there->version == item->version && stores->options->tie == RESOLVE_TIE_CASSANDRA;
    const bool equal = there->version > 0 && !there->unreadable &&
                       map_content_equal(stores->table.schema, &there->content, &row);
    if (equal || (there->version >= item->version && !tie)) {
        item->outcome = LOAD_DONE;
        b->l->report->unchanged += equal;
        b->l->report->superseded += !equal;
    } else {
        load_bulk_add(b, item, item->cells, there->version > 0 ? there : NULL, tie);
    }
}

bool load_bulk_merge(struct load_bulk *b, struct load_item **items, size_t count, struct err *err)
{
    const bool tie = b->l->o->stores->options->tie == RESOLVE_TIE_CASSANDRA;
    struct slice *ids = arena_alloc(b->arena, (count + 1) * sizeof *ids);
    int64_t *versions = arena_alloc(b->arena, (count + 1) * sizeof *versions);
    size_t *older = arena_alloc(b->arena, (count + 1) * sizeof *older), older_count = 0;
    for (size_t i = 0; i < count; i++)
        ids[i] = items[i]->key.text;
    if (!source_index_versions(b->l->o->stores->elasticsearch, ids, count, versions, err))
        return false;
    for (size_t i = 0; i < count; i++) {
        if (versions[i] == 0) {
            load_bulk_add(b, items[i], items[i]->cells, NULL, false);
        } else if (versions[i] > items[i]->version || (versions[i] == items[i]->version && !tie)) {
            items[i]->outcome = LOAD_DONE;
            b->l->report->superseded++;
        } else {
            older[older_count++] = i;
        }
    }
    struct change_document *there = arena_alloc(b->arena, (older_count + 1) * sizeof *there);
    if (!read_present(b, items, older, older_count, there, err))
        return false;
    for (size_t i = 0; i < older_count; i++)
        add_older(b, items[older[i]], &there[i]);
    return load_bulk_send(b, err);
}
