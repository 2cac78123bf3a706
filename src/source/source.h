#ifndef SOURCE_SOURCE_H
#define SOURCE_SOURCE_H

#include "base/arena.h"
#include "base/err.h"
#include "change/state.h"

/* Where changes come from. A source tells which keys were written with which versions, from a
 * version up; how it knows is its own affair (a time series table, a field of the index, some day
 * a commit log). For tasks. */
struct source;

struct source_page {
    const struct change_entry *entries;
    const struct change_document
        *documents; /* parallel to entries where they come along; or NULL */
    uint32_t count; /* 0: that was the end */
};

/* The entries from version since (inclusive) up, as of now. */
struct source_window {
    int64_t since;
    /* Most of those up to it were read before: they need not come again, nor their documents along.
     * 0: none was. */
    int64_t known;
    bool whole; /* of the whole overlap: what the windows between them need not read */
};

struct source_ops {
    enum change_side side;
    bool (*open)(struct source *source, const struct source_window *window, struct err *err);
    /* Content lives in arena. */
    bool (*next)(struct source *source, struct source_page *page, struct arena *arena,
                 struct err *err);
    /* After an open, also after a failed next. */
    void (*close)(struct source *source);
    /* All that the last window gave is dealt with for good: it need not be given again. */
    void (*done)(struct source *source);
    /* Highest version that this side has; 0: none. */
    bool (*highest)(struct source *source, int64_t *version, struct err *err);
    void (*free)(struct source *source);
};

struct source {
    const struct source_ops *ops;
};

#endif
