#include "base/clock.h"
#include "job/load_internal.h"

/* The version of a row: a version column, else its highest entry, else its write time. */

enum { ENTRIES_MEMORY = 16 << 20 };

bool load_judge(struct load *l, struct slice key, const struct change_row *row,
                enum load_verdict *verdict, int64_t *version, struct err *err)
{
    const struct pipeline_options *o = l->o->stores->options;
    int64_t entry;
    if (!job_versions_find(l->versions, key, &entry, err))
        return false;
    *version = row->version ? row->version
               : entry > 0  ? entry
                            : pipeline_version_of(l->o->stores->options, row->write_time);
    if (entry < l->border.since && row->write_time > clock_wall_us() + o->future_skew_us)
        *verdict = LOAD_WRITTEN_IN_FUTURE; /* no cycle would ever look at it */
    else if (entry >= l->border.since || row->write_time > l->border.started)
        *verdict = LOAD_SKIP;
    else if (row->write_time > l->recent && !l->at_the_end)
        *verdict = LOAD_LATER;
    else if (*version > l->latest)
        *verdict = LOAD_VERSION_IN_FUTURE;
    else
        *verdict = LOAD_COPY;
    return true;
}

const char *load_future_name(enum load_verdict verdict)
{
    return verdict == LOAD_WRITTEN_IN_FUTURE ? "write_time_in_future" : "version_in_future";
}

const char *load_future_text(enum load_verdict verdict)
{
    return resolve_rule_text(verdict == LOAD_WRITTEN_IN_FUTURE ? RESOLVE_RULE_WRITE_TIME_IN_FUTURE
                                                               : RESOLVE_RULE_VERSION_IN_FUTURE);
}

static bool add_page(struct load *l, const struct source_page *page, struct err *err)
{
    for (uint32_t i = 0; i < page->count; i++) {
        const struct change_entry *entry = &page->entries[i];
        if (!entry->unusable && !job_versions_add(l->versions, entry->key, entry->version, err))
            return false;
    }
    return true;
}

bool load_read_entries(struct load *l, struct err *err)
{
    struct source *s = l->o->stores->series;
    struct arena arena = {0};
    struct source_page page;
    job_versions_free(l->versions);
    l->versions = job_versions_new(l->o->folder, ENTRIES_MEMORY);
    l->phase = "entries";
    if (!s->ops->open(s, &(struct source_window){.since = 1}, err))
        return false;
    bool fine;
    do {
        arena_reset(&arena);
        fine = s->ops->next(s, &page, &arena, err) && add_page(l, &page, err) &&
               load_goes_on(l, 0, err);
    } while (fine && page.count > 0);
    s->ops->close(s);
    arena_free(&arena);
    return fine && job_versions_finish(l->versions, err);
}
