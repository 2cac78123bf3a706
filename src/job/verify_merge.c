#include "base/mem.h"
#include "job/verify_internal.h"
#include "job/walk.h"
#include "source/scan.h"

#include <stdlib.h>

/* Rows, documents and entries, all in the order of token and key. */

enum { PARTITIONS_PER_RANGE = 20000, RANGES_MIN = 16, RANGES_MAX = 65536 };

/* One of the sorters that a stream reads. */
struct input {
    struct job_sorter *sorter;
    struct job_sorted ahead;
    bool more;
};

/* Sorters, read key by key: of several records of a key the one of the highest version. */
struct stream {
    struct input inputs[VERIFY_PARTS_MAX];
    unsigned count;
    struct job_sorted current; /* its key is in text */
    struct buf text;
    bool more;
};

/* Whose record is the next; NULL: none has one. */
static struct input *next_input(struct stream *s)
{
    struct input *next = NULL;
    for (unsigned i = 0; i < s->count; i++) {
        struct input *in = &s->inputs[i];
        if (!in->more)
            continue;
        const int order = next ? job_sorted_compare(&in->ahead, &next->ahead) : -1;
        if (order < 0 || (order == 0 && in->ahead.version < next->ahead.version))
            next = in;
    }
    return next;
}

static bool stream_next(struct stream *s, struct err *err)
{
    struct input *in = next_input(s);
    s->more = in != NULL;
    if (!in)
        return true;
    s->current = in->ahead;
    buf_clear(&s->text);
    buf_append_slice(&s->text, in->ahead.key);
    s->current.key = buf_slice(&s->text);
    do {
        s->current.version = in->ahead.version;
        s->current.hash = in->ahead.hash;
        s->current.flags = in->ahead.flags;
        if (!job_sorter_next(in->sorter, &in->ahead, &in->more, err))
            return false;
        in = next_input(s);
    } while (in && job_sorted_compare(&in->ahead, &s->current) == 0);
    return true;
}

static bool stream_add(struct stream *s, struct job_sorter *sorter, struct err *err)
{
    struct input *in = &s->inputs[s->count++];
    *in = (struct input){.sorter = sorter};
    return job_sorter_finish(sorter, err) && job_sorter_next(sorter, &in->ahead, &in->more, err);
}

static bool stream_open(struct stream *s, struct job_sorter *sorter, struct err *err)
{
    *s = (struct stream){.count = 0};
    return stream_add(s, sorter, err) && stream_next(s, err);
}

/* What all threads have read of a part. */
static bool documents_open(struct stream *s, struct verify *v, struct err *err)
{
    *s = (struct stream){.count = 0};
    for (unsigned i = 0; i < v->parts; i++) {
        if (!stream_add(s, verify_of_part(v, i)->documents[v->part], err))
            return false;
    }
    return stream_next(s, err);
}

struct merging {
    struct verify *v;
    struct stream documents, entries;
};

/* The highest entry of a key; entries of lower keys are passed. */
static bool find_entry(struct merging *m, const struct job_sorted *at, int64_t *version,
                       struct err *err)
{
    *version = 0;
    while (m->entries.more) {
        const int order = job_sorted_compare(&m->entries.current, at);
        if (order == 0)
            *version = m->entries.current.version;
        if (order >= 0)
            return true;
        if (!stream_next(&m->entries, err))
            return false;
    }
    return true;
}

static bool doubt(struct merging *m, const struct job_sorted *at, const struct job_sorted *document,
                  bool row, struct err *err)
{
    struct doubt d = {
        .token = at->token,
        .key = at->key,
        .looked = true,
        .had_document = document != NULL,
        .had_row = row,
        .document_version = document ? document->version : 0,
        .write_time = CHANGE_NO_WRITE_TIME,
    };
    return find_entry(m, at, &d.entry_version, err) && verify_doubt(m->v->doubts, &d, err);
}

/* A document without a row. */
static bool lone_document(struct merging *m, struct err *err)
{
    const struct job_sorted *document = &m->documents.current;
    struct job_verify_report *r = m->v->report;
    r->compared++;
    if (document->flags & VERIFY_UNPARSABLE) {
        const struct job_difference difference = {.key = document->key,
                                                  .kind = JOB_UNPARSABLE,
                                                  .elasticsearch_version = document->version};
        verify_found(m->v, &difference);
    } else if (document->flags & VERIFY_DELETED)
        r->equal++; /* nothing on either side */
    else if (!doubt(m, document, document, false, err))
        return false;
    return stream_next(&m->documents, err);
}

static bool same_content(const struct job_sorted *document, const struct job_sorted *row)
{
    return !(document->flags & (VERIFY_DELETED | VERIFY_UNREADABLE)) &&
           change_hash_equal(document->hash, row->hash);
}

static bool take_row(struct merging *m, const struct job_sorted *row, struct err *err)
{
    struct job_verify_report *r = m->v->report;
    while (m->documents.more && job_sorted_compare(&m->documents.current, row) < 0) {
        if (!lone_document(m, err))
            return false;
    }
    r->compared++;
    r->rows++;
    if (row->flags & JOB_WALK_UNUSABLE) {
        const struct job_difference difference = {
            .key = row->key, .kind = JOB_UNPARSABLE, .cassandra_version = row->version};
        verify_found(m->v, &difference);
        return true;
    }
    if (!m->documents.more || job_sorted_compare(&m->documents.current, row) != 0)
        return doubt(m, row, NULL, true, err);
    if (same_content(&m->documents.current, row))
        r->equal++;
    else if (!doubt(m, row, &m->documents.current, true, err))
        return false;
    return stream_next(&m->documents, err);
}

static bool join(struct merging *m, struct job_sorter *joined, struct err *err)
{
    struct stream *doubts = &m->documents; /* none are read here */
    if (!stream_open(doubts, m->v->doubts, err) || !stream_open(&m->entries, m->v->entries, err))
        return false;
    while (doubts->more) {
        struct doubt d = {.token = doubts->current.token,
                          .key = doubts->current.key,
                          .write_time = CHANGE_NO_WRITE_TIME};
        if (!find_entry(m, &doubts->current, &d.entry_version, err) ||
            !verify_doubt(joined, &d, err) || !stream_next(doubts, err))
            return false;
    }
    return true;
}

bool verify_join_entries(struct verify *v, struct err *err)
{
    struct merging m = {.v = v};
    struct job_sorter *joined = job_sorter_new(v->o->folder, v->o->memory / 8);
    const bool fine = join(&m, joined, err);
    job_sorter_free(v->doubts);
    v->doubts = joined;
    buf_free(&m.documents.text);
    buf_free(&m.entries.text);
    return fine;
}

/* --- rows */

struct verify_rows {
    struct source_scan *scan;
    struct job_walk *walk;
    uint32_t ranges;
};

static uint32_t count_ranges(int64_t partitions)
{
    const int64_t ranges = partitions / PARTITIONS_PER_RANGE;
    return ranges < RANGES_MIN ? RANGES_MIN : ranges > RANGES_MAX ? RANGES_MAX : (uint32_t)ranges;
}

static bool start_walk(struct verify *v, struct err *err)
{
    const struct job_verify *o = v->o;
    const struct job_stores *stores = o->stores;
    const struct source_scan_options times = {.times = false};
    int64_t partitions;
    v->rows->scan =
        source_scan_new(stores->cassandra, &stores->table, &stores->options->table, &times, err);
    if (!v->rows->scan ||
        !source_scan_estimate(stores->cassandra, &stores->options->table, &partitions, err))
        return false;
    v->rows->ranges = count_ranges(partitions / v->parts);
    const struct job_walk_options options = {
        .loop = stores->loop,
        .scan = v->rows->scan,
        .schema = stores->table.schema,
        .folder = o->folder,
        .memory = o->memory / 4 / v->parts,
        .low = v->low,
        .high = v->high,
        .ranges = v->rows->ranges,
    };
    v->rows->walk = job_walk_new(&options);
    return true;
}

bool verify_rows_open(struct verify *v, struct err *err)
{
    v->rows = mem_zalloc(sizeof *v->rows);
    return start_walk(v, err);
}

bool verify_rows_fine(const struct verify *v, struct err *err)
{
    return !v->rows || job_walk_fine(v->rows->walk, err);
}

void verify_rows_close(struct verify *v)
{
    if (!v->rows)
        return;
    job_walk_free(v->rows->walk);
    source_scan_free(v->rows->scan);
    free(v->rows);
    v->rows = NULL;
}

static bool walk_rows(struct merging *m, struct err *err)
{
    const struct verify_rows *rows = m->v->rows;
    struct job_sorted row;
    bool more = true;
    for (int64_t count = 1; more; count++) {
        if (!job_walk_next(rows->walk, &row, &more, err) || (more && !take_row(m, &row, err)))
            return false;
        if (count % 1000 == 0) {
            m->v->share = (double)job_walk_done(rows->walk) / rows->ranges;
            if (!verify_goes_on(m->v, 1000, err))
                return false;
        }
    }
    while (m->documents.more) {
        if (!lone_document(m, err))
            return false;
    }
    return true;
}

bool verify_merge(struct verify *v, struct err *err)
{
    struct merging m = {.v = v};
    v->phase = "rows";
    v->share = 0.0;
    const bool fine = documents_open(&m.documents, v, err) &&
                      stream_open(&m.entries, v->entries, err) && walk_rows(&m, err);
    buf_free(&m.documents.text);
    buf_free(&m.entries.text);
    return fine;
}
