#include "job/load_documents.h"
#include "map/convert.h"

/* Documents become rows. A key that certainly had no row when the load began, and that no cycle has
 * touched since, needs no read: whatever an application writes meanwhile has a higher write time.
 */

static void done(struct load_document *item, int64_t *counter)
{
    item->open = false;
    ++*counter;
}

/* --- one attempt */

/* Of those that may be there. */
static bool read_rows(struct load *l, struct load_document *items, size_t count,
                      struct arena *arena, struct err *err)
{
    struct change_key *keys = arena_alloc(arena, (count + 1) * sizeof *keys);
    struct change_row *rows = arena_alloc(arena, (count + 1) * sizeof *rows);
    size_t wanted = 0;
    for (size_t i = 0; i < count; i++) {
        items[i].present = items[i].open && load_guard_has(l->documents->guard, items[i].hash);
        if (items[i].present)
            keys[wanted++] = items[i].key;
    }
    if (wanted > 0 && !source_rows_read(l->o->stores->rows, keys, wanted, rows, arena, err))
        return false;
    for (size_t i = 0, j = 0; i < count; i++) {
        if (items[i].present)
            items[i].row = rows[j++];
    }
    return true;
}

static bool decide_all(struct load *l, struct load_document *items, size_t count,
                       struct load_rest *rest, struct err *err)
{
    for (size_t i = 0; i < count; i++) {
        struct load_document *item = &items[i];
        item->writes = false;
        /* A cycle came to it while the others were read: at the next attempt. */
        if (!item->open || (!item->present && load_guard_has(l->documents->guard, item->hash)))
            continue;
        if (!load_decide(l, item, rest, err))
            return false;
    }
    return true;
}

static void write_some(struct load *l, struct sink_write **writes, size_t count, bool deletes)
{
    const struct load_documents *d = l->documents;
    if (count > 0 && d->rows)
        d->rows->ops->apply(d->rows, writes, count);
    else if (count > 0 && deletes)
        d->deletes->ops->apply(d->deletes, writes, count);
    else if (count > 0)
        sink_rows_bulk_apply(d->bulk, writes, count, l->cassandra.batch);
}

static void write_all(struct load *l, struct load_document *items, size_t count,
                      struct arena *arena)
{
    struct sink_write **writes = arena_alloc(arena, (count + 1) * sizeof(void *));
    size_t wanted = 0, deletes = 0;
    enum err_code code = ERR_NONE;
    for (size_t i = 0; i < count; i++) {
        if (items[i].writes && items[i].write.delete)
            writes[deletes++] = &items[i].write;
    }
    wanted = deletes;
    for (size_t i = 0; i < count; i++) {
        if (items[i].writes && !items[i].write.delete)
            writes[wanted++] = &items[i].write;
    }
    if (wanted == 0)
        return;
    const struct job_flow_turn turn = job_flow_enter(&l->cassandra);
    write_some(l, writes, deletes, true);
    write_some(l, writes + deletes, wanted - deletes, false);
    for (size_t i = 0; i < wanted && code == ERR_NONE; i++) {
        if (writes[i]->outcome == SINK_RETRY)
            code = writes[i]->err.code;
    }
    job_flow_leave(&l->cassandra, turn, code);
}

static int64_t size_of(const struct load_document *item)
{
    int64_t bytes = (int64_t)item->key.text.len;
    for (uint32_t i = 0; !item->write.delete &&i < item->document->content.cell_count; i++)
        bytes += (int64_t)item->document->content.cells[i].len;
    return bytes;
}

/* failure: the first of what may work later. */
static void take_outcomes(struct load *l, struct load_document *items, size_t count,
                          struct load_rest *rest, struct err *failure)
{
    for (size_t i = 0; i < count; i++) {
        struct load_document *item = &items[i];
        if (!item->writes)
            continue;
        switch (item->write.outcome) {
        case SINK_APPLIED:
            l->report->bytes += size_of(item);
            done(item, item->write.delete ? &l->report->deleted : &l->report->copied);
            break;
        case SINK_SUPERSEDED:
            done(item, &l->report->superseded);
            break;
        case SINK_REJECTED:
            load_bury(l, rest, item, err_code_name(item->write.err.code), item->write.err.text);
            break;
        case SINK_RETRY:
            load_guard_add(l->documents->guard, item->key.text);
            item->unknown++;
            if (failure->code == ERR_NONE)
                *failure = item->write.err;
        }
    }
}

/* While the keys are marked no cycle decides on them. */
static bool attempt(struct load *l, struct load_document *items, size_t count,
                    struct load_rest *rest, struct err *failure, struct err *err)
{
    struct load_guard *guard = l->documents->guard;
    struct arena arena = {0};
    bool fine = true;
    for (size_t i = 0; i < count; i++)
        load_guard_begin(guard, items[i].hash);
    if (!read_rows(l, items, count, &arena, failure)) {
        job_flow_failed(&l->cassandra, failure->code);
    } else {
        fine = decide_all(l, items, count, rest, err);
        if (fine) {
            write_all(l, items, count, &arena);
            take_outcomes(l, items, count, rest, failure);
        }
    }
    for (size_t i = 0; i < count; i++)
        load_guard_end(guard, items[i].hash);
    arena_free(&arena);
    return fine;
}

static bool any_open(const struct load_document *items, size_t count)
{
    for (size_t i = 0; i < count; i++) {
        if (items[i].open)
            return true;
    }
    return false;
}

static bool check(struct load *l, struct load_document *item, struct load_rest *rest,
                  struct arena *arena)
{
    const struct map_schema *schema = l->o->stores->table.schema;
    const struct change_document *document = item->document;
    struct slice *cells = arena_alloc(arena, (schema->key_count + 1) * sizeof *cells);
    struct err bad = {0};
    if (document->content.missing && document->version <= 0) { /* gone: nothing to copy */
        done(item, &l->report->skipped);
    } else if (!map_key_parse(schema, item->key.text, cells, arena, &bad)) {
        load_bury(l, rest, item, "key", bad.text);
    } else if (document->unreadable && !document->content.missing) {
        load_bury(l, rest, item, "unreadable", document->unreadable);
    } else if (document->version <= 0 || document->version > l->latest) {
        load_bury(l, rest, item, "version_in_future",
                  document->version <= 0 ? "versions are greater than 0"
                                         : resolve_rule_text(RESOLVE_RULE_VERSION_IN_FUTURE));
    }
    item->key.cells = cells;
    item->hash = load_guard_hash(item->key.text);
    return item->open;
}

bool load_insert(struct load *l, struct load_document *items, size_t count, struct arena *arena,
                 struct load_rest *rest, struct err *err)
{
    size_t kept = 0;
    for (size_t i = 0; i < count; i++) {
        items[i].open = true;
        if (check(l, &items[i], rest, arena))
            items[kept++] = items[i];
    }
    while (any_open(items, kept)) {
        struct err failure = {0};
        if (!attempt(l, items, kept, rest, &failure, err))
            return false;
        if (failure.code == ERR_NONE)
            continue;
        if (!load_retries(l, &l->cassandra, &failure)) {
            *err = failure;
            return false;
        }
    }
    return load_rest_write_letters(l, rest, err);
}
