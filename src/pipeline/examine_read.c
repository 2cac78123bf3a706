#include "base/clock.h"
#include "io/task.h"
#include "map/convert.h"
#include "pipeline/internal.h"
#include "source/documents.h"

/* What both stores hold of the keys of a batch. They are read at the same time, but for documents
 * that are not asked for while the row is still our copy, or what was copied. */
struct reading {
    struct io_group group;
    const struct cycle *c;
    struct item *items;
    size_t count;
    struct arena *arena; /* shared, for nobody waits while it is being added to */
    struct item **asked; /* whose documents are read */
    size_t asked_count;
    struct err documents_err;
    bool documents_fine;
};

static bool read_rows(const struct reading *r, struct err *err)
{
    struct change_key *keys = arena_alloc(r->arena, (r->count + 1) * sizeof *keys);
    struct change_row *rows = arena_alloc(r->arena, (r->count + 1) * sizeof *rows);
    for (size_t i = 0; i < r->count; i++)
        keys[i] = r->items[i].key;
    if (!source_rows_read(r->c->p->rows, keys, r->count, rows, r->arena, err))
        return false;
    for (size_t i = 0; i < r->count; i++)
        r->items[i].row = rows[i];
    return true;
}

static bool read_documents(const struct reading *r, struct err *err)
{
    const struct pipeline *p = r->c->p;
    struct slice *wanted = arena_alloc(r->arena, (r->asked_count + 1) * sizeof *wanted);
    struct change_document *documents =
        arena_alloc(r->arena, (r->asked_count + 1) * sizeof *documents);
    for (size_t i = 0; i < r->asked_count; i++)
        wanted[i] = r->asked[i]->key.text;
    if (r->asked_count > 0 &&
        !source_documents_read(p->elasticsearch, p->table.schema, p->options.deleted_field, wanted,
                               r->asked_count, documents, r->arena, err))
        return false;
    for (size_t i = 0; i < r->asked_count; i++)
        r->asked[i]->document = documents[i];
    return true;
}

static void documents_main(void *ctx)
{
    struct reading *r = ctx;
    r->documents_fine = read_documents(r, &r->documents_err);
}

static void documents_ended(void *ctx)
{
    struct reading *r = ctx;
    io_group_done(&r->group);
}

static void start_documents(struct reading *r)
{
    r->documents_fine = r->asked_count == 0;
    if (r->documents_fine)
        return;
    io_group_add(&r->group);
    io_task_start(r->c->p->loop, documents_main, r, documents_ended);
}

/* --- rows that tell enough */

/* The copy to the other side, where that is the only one sent for the entry and took effect. */
static bool is_only_copy(const struct store_own *own, const struct store_own *other)
{
    return own->flags == (STORE_OWN_RECORDED | STORE_OWN_ACKNOWLEDGED) &&
           !(other->flags & STORE_OWN_RECORDED);
}

const struct store_entry *examine_highest(const struct item *item)
{
    const struct store_entry *highest = NULL;
    for (const struct memory_entry *e = item->entries; e; e = e->next) {
        if (!highest || e->entry.version > highest->version)
            highest = &e->entry;
    }
    return highest;
}

/* Whether it is the second look at a record that was copied: a look that is there for a row that
 * shows later than its entry. What became of the document since, the last look tells. A copy that
 * was made by an older schema may lack what the document has for a new column. */
bool examine_row_may_do(int64_t now, int64_t bound_at, const struct item *item)
{
    for (const struct memory_entry *e = item->entries; e; e = e->next) {
        if (e->entry.due <= now && (e->entry.looks != STORE_LOOKS_SECOND - 1 || e->put_off_since))
            return false;
    }
    const struct store_entry *e = examine_highest(item);
    return e && !item->retried && e->first_look >= bound_at &&
           (is_only_copy(&e->own_document, &e->own_row) ||
            is_only_copy(&e->own_row, &e->own_document));
}

static bool copy_stands(const struct cycle *c, const struct item *item)
{
    const struct store_entry *e = examine_highest(item);
    const bool from_elasticsearch = e->own_row.flags & STORE_OWN_RECORDED;
    const struct store_own *own = from_elasticsearch ? &e->own_row : &e->own_document;
    if (item->row.content.missing)
        return false;
    return change_hash_equal(
        own->hash, map_content_hash(c->p->table.schema, &item->row.content, from_elasticsearch));
}

/* rows_read: those whose row does not tell enough; before it: those that can't do without. */
static void ask_documents(struct reading *r, bool rows_read)
{
    r->asked_count = 0;
    for (size_t i = 0; i < r->count; i++) {
        struct item *item = &r->items[i];
        const bool may_do = examine_row_may_do(r->c->now, r->c->p->bound_at, item);
        if (item->have_document || may_do != rows_read)
            continue;
        item->copy_stands = rows_read && copy_stands(r->c, item);
        if (!item->copy_stands)
            r->asked[r->asked_count++] = item;
    }
}

bool examine_read(struct cycle *c, struct item *items, size_t count, struct arena *arena,
                  struct err *err)
{
    for (size_t i = 0; c->p->touch && i < count; i++)
        c->p->touch(c->p->touch_ctx, items[i].key.text);
    struct reading r = {.c = c, .items = items, .count = count, .arena = arena};
    r.asked = arena_alloc(arena, (count + 1) * sizeof(void *));
    ask_documents(&r, false);
    start_documents(&r);
    const bool rows_fine = read_rows(&r, err);
    io_group_wait(&r.group);
    if (rows_fine && !r.documents_fine && err)
        *err = r.documents_err;
    if (!rows_fine || !r.documents_fine)
        return false;
    ask_documents(&r, true);
    if (!read_documents(&r, err))
        return false;
    c->read = clock_wall_us();
    return true;
}
