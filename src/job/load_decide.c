#include "job/load_documents.h"
#include "map/convert.h"

/* What becomes of one document, and the write of it. */

enum { UNKNOWN_MAX = 500 }; /* µs: a version is 1000 of them at least, where it isn't one */

static void payload_of(const struct load *l, const struct change_document *document,
                       struct buf *out)
{
    struct err err = {0};
    if (!slice_is_null(document->source))
        buf_append_slice(out, document->source);
    else if (document->unreadable || document->content.missing ||
             !map_document_render(l->o->stores->table.schema, document->content.cells, SLICE_NULL,
                                  0, NULL, out, &err))
        buf_clear(out);
}

void load_bury(struct load *l, struct load_rest *rest, struct load_document *item, const char *rule,
               const char *reason)
{
    struct buf payload = {0};
    payload_of(l, item->document, &payload);
    load_rest_letter(l, rest, item->key.text, item->document->version, rule, reason,
                     payload.len ? buf_slice(&payload) : SLICE_NULL);
    buf_free(&payload);
    item->open = false;
}

/* Where versions are time it tells the version of the row from now on. Else it is the time before
 * the load: whatever was written since wins, and the next cycle takes the row for an old one. */
static int64_t write_time_of(const struct load *l, const struct load_document *item)
{
    const struct pipeline_options *o = l->o->stores->options;
    const int64_t unit = o->table.unit_us;
    const bool below = o->guard == RESOLVE_GUARD_TIMESTAMP && o->tie == RESOLVE_TIE_CASSANDRA;
    int64_t time = l->border.settled;
    if (unit > 0)
        time = item->document->version * unit + (below ? -1 : 1);
    /* A list that is written twice at one time doubles, also when the first one lands last. */
    if (unit != 1)
        time += item->unknown < UNKNOWN_MAX ? item->unknown : UNKNOWN_MAX;
    if (item->present && !item->row.content.missing && item->row.write_time >= time &&
        item->row.write_time != CHANGE_NO_WRITE_TIME)
        time = item->row.write_time + 1;
    return time;
}

static void prepare(const struct load *l, struct load_document *item)
{
    const int64_t time = write_time_of(l, item);
    item->writes = true;
    item->write = (struct sink_write){
        .key = &item->key,
        .version = item->document->version,
        .delete = item->document->content.missing,
        .content = &item->document->content,
        .document = item->document,
        .row = &item->row,
        .write_time = time,
        .entry_time = time,
        .no_entry = l->o->stores->options->table.unit_us > 0,
        .outcome = SINK_RETRY,
    };
    if (!item->present)
        item->row =
            (struct change_row){.content.missing = true, .write_time = CHANGE_NO_WRITE_TIME};
}

static void settle(struct load_document *item, int64_t *counter)
{
    item->open = false;
    ++*counter;
}

static void decide_against_row(struct load *l, struct load_document *item, int64_t version,
                               struct load_rest *rest)
{
    const struct pipeline_options *o = l->o->stores->options;
    const struct change_document *document = item->document;
    const bool newer = document->version > version ||
                       (document->version == version && o->tie == RESOLVE_TIE_ELASTICSEARCH);
    if (version == 0 && o->table.unit_us == 0)
        load_bury(l, rest, item, "no_version", resolve_rule_text(RESOLVE_RULE_NO_VERSION));
    else if (newer)
        prepare(l, item);
    else
        settle(item, &l->report->superseded);
}

/* There is no row: unless an entry tells of a newer delete, it is made. */
static bool decide_without_row(struct load *l, struct load_document *item, struct err *err)
{
    int64_t deleted = 0;
    if (item->document->content.missing) {
        settle(item, &l->report->unchanged);
        return true;
    }
    if (!l->o->stores->options->skip_missing_rows &&
        !job_versions_find(l->versions, item->key.text, &deleted, err))
        return false;
    if (deleted > item->document->version)
        settle(item, &l->report->superseded);
    else
        prepare(l, item);
    return true;
}

static bool is_equal(const struct load *l, const struct load_document *item)
{
    return !item->document->content.missing &&
           map_content_equal(l->o->stores->table.schema, &item->document->content,
                             &item->row.content);
}

bool load_decide(struct load *l, struct load_document *item, struct load_rest *rest,
                 struct err *err)
{
    enum load_verdict verdict;
    int64_t version;
    if (!item->present || item->row.content.missing)
        return decide_without_row(l, item, err);
    if (is_equal(l, item)) {
        /* The row of a write that failed may be there without what insertQuery makes of it. */
        if (l->o->stores->options->query_count > 0 && item->unknown > 0)
            prepare(l, item);
        else
            settle(item, &l->report->unchanged);
        return true;
    }
    if (!load_judge(l, item->key.text, &item->row, &verdict, &version, err))
        return false;
    switch (verdict) {
    case LOAD_SKIP:
        settle(item, &l->report->skipped);
        break;
    case LOAD_LATER:
        load_rest_later(rest, item->key.text);
        item->open = false;
        break;
    case LOAD_VERSION_IN_FUTURE:
    case LOAD_WRITTEN_IN_FUTURE:
        load_bury(l, rest, item, load_future_name(verdict), load_future_text(verdict));
        break;
    case LOAD_COPY:
        decide_against_row(l, item, version, rest);
    }
    return true;
}
