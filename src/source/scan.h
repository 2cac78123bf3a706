#ifndef SOURCE_SCAN_H
#define SOURCE_SCAN_H

#include "change/state.h"
#include "source/table.h"

/* All rows of the data table, by ranges of tokens; several ranges may be read side by side. For
 * tasks. */
struct source_scan;

struct source_scan_options {
    bool times;          /* write times too */
    bool keys_only;      /* no content: row is empty */
    uint32_t page_bytes; /* aimed at; 0: 1 MiB */
};

/* Arguments are borrowed for its life. Errors: ERR_SCHEMA for a ring of another partitioner than
 * Murmur3Partitioner. */
MUST_USE struct source_scan *source_scan_new(struct cql_client *client,
                                             const struct source_table *table,
                                             const struct source_table_options *options,
                                             const struct source_scan_options *scan,
                                             struct err *err);
void source_scan_free(struct source_scan *scan);

/* The rows with tokens above low, up to high; INT64_MIN is the lowest low. */
struct source_range {
    int64_t low, high;
    bool ended;
    struct slice paging_state;
    struct arena paging; /* owns it */
    uint32_t page_size;  /* rows; adapts */
};
void source_range_open(struct source_range *range, int64_t low, int64_t high);
void source_range_close(struct source_range *range);

struct source_scanned {
    int64_t token;
    struct change_key key;
    const char *unusable; /* why the key can't be an _id; NULL: it can */
    struct change_row row;
};

/* One page of the range: fn is called for each of its rows, in the order of tokens; all of a row is
 * borrowed for the call. range->ended says that it was the last page. A page that failed (no row of
 * it was handed out) can be asked for again. */
typedef void source_scan_fn(void *ctx, const struct source_scanned *row);
MUST_USE bool source_scan_page(struct source_scan *scan, struct source_range *range,
                               source_scan_fn *fn, void *ctx, struct err *err);

/* What the server believes: partitions of the table on the whole ring, 0: it has no idea. */
MUST_USE bool source_scan_estimate(struct cql_client *client,
                                   const struct source_table_options *options, int64_t *partitions,
                                   struct err *err);

#endif
