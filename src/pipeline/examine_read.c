#include "io/task.h"
#include "pipeline/internal.h"
#include "source/documents.h"

/* Both stores are read at the same time: each read is given err, fine and arrays of its own. The
 * arena is shared, for nobody waits while it is being added to. */
struct reading {
    struct io_group group;
    const struct pipeline *p;
    struct item *items;
    size_t count;
    struct arena *arena;
    struct slice *wanted; /* keys of documents that are not at hand */
    size_t wanted_count;
    struct change_document *documents;
    struct err documents_err;
    bool documents_fine;
};

static bool read_rows(const struct reading *r, struct err *err)
{
    struct change_key *keys = arena_alloc(r->arena, (r->count + 1) * sizeof *keys);
    struct change_row *rows = arena_alloc(r->arena, (r->count + 1) * sizeof *rows);
    for (size_t i = 0; i < r->count; i++)
        keys[i] = r->items[i].key;
    if (!source_rows_read(r->p->rows, keys, r->count, rows, r->arena, err))
        return false;
    for (size_t i = 0; i < r->count; i++)
        r->items[i].row = rows[i];
    return true;
}

static void read_documents(void *ctx)
{
    struct reading *r = ctx;
    r->documents_fine = source_documents_read(
        r->p->elasticsearch, r->p->table.schema, r->p->options.deleted_field, r->wanted,
        r->wanted_count, r->documents, r->arena, &r->documents_err);
    io_group_done(&r->group);
}

static void start_documents(struct reading *r)
{
    r->wanted = arena_alloc(r->arena, (r->count + 1) * sizeof *r->wanted);
    for (size_t i = 0; i < r->count; i++) {
        if (!r->items[i].have_document)
            r->wanted[r->wanted_count++] = r->items[i].key.text;
    }
    r->documents_fine = r->wanted_count == 0;
    if (r->documents_fine)
        return;
    r->documents = arena_alloc(r->arena, r->wanted_count * sizeof *r->documents);
    io_group_add(&r->group);
    io_task_start(r->p->loop, read_documents, r, NULL);
}

static void take_documents(const struct reading *r)
{
    for (size_t i = 0, j = 0; i < r->count && r->wanted_count > 0; i++) {
        if (!r->items[i].have_document)
            r->items[i].document = r->documents[j++];
    }
}

bool examine_read(struct cycle *c, struct item *items, size_t count, struct arena *arena,
                  struct err *err)
{
    for (size_t i = 0; c->p->touch && i < count; i++)
        c->p->touch(c->p->touch_ctx, items[i].key.text);
    struct reading r = {.p = c->p, .items = items, .count = count, .arena = arena};
    start_documents(&r);
    const bool rows_fine = read_rows(&r, err);
    io_group_wait(&r.group);
    if (rows_fine && !r.documents_fine && err)
        *err = r.documents_err;
    if (!rows_fine || !r.documents_fine)
        return false;
    take_documents(&r);
    return true;
}
