#ifndef SOURCE_COLUMNS_H
#define SOURCE_COLUMNS_H

#include "change/state.h"
#include "source/table.h"

/* What is selected of a row of the data table: the mapped columns, their write times, the version
 * column. */
struct source_columns {
    const struct map_schema *schema; /* borrowed, as is options */
    const struct source_table_options *options;
    uint32_t *timed; /* columns whose write time is selected, in order */
    uint32_t timed_count;
    uint32_t *lived; /* columns whose time to live is selected, in order */
    uint32_t lived_count;
    bool versioned;
    enum source_version_type version_type;
    bool max_write_time; /* as in source_table */
};

/* times false: without the write times. The times to live come along where they are carried (the
 * schema has a ttl_field). */
void source_columns_init(struct source_columns *columns, const struct source_table *table,
                         const struct source_table_options *options, bool times);
void source_columns_free(struct source_columns *columns);
static inline uint32_t source_columns_count(const struct source_columns *columns)
{
    return columns->schema->column_count + columns->timed_count + columns->lived_count +
           columns->versioned;
}

/* "a", "b", WRITETIME("a"), TTL("a"), "version", with a comma behind each. */
void source_columns_append(const struct source_columns *columns, struct buf *out);
/* From the cells of a result that begins with them: the first become the content, borrowed, and
 * normalised in place with new bytes in arena. times: room for the write time of each column, or
 * NULL. */
void source_columns_take(const struct source_columns *columns, struct slice *cells, int64_t *times,
                         struct arena *arena, struct change_row *out);

#endif
