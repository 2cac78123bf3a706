#include "source/columns.h"

#include "base/mem.h"
#include "cql/statement.h"
#include "map/convert.h"

#include <stdlib.h>

/* Of a value that is stored in several cells: a collection or user-defined type that isn't frozen.
 */
static bool has_cells(const struct cql_type *type)
{
    return !type->frozen && (type->id == CQL_LIST || type->id == CQL_SET || type->id == CQL_MAP ||
                             type->id == CQL_UDT);
}

/* Before 5.0 the write time of such a value is an error: NULL. */
static const char *write_time_of(const struct source_columns *c, uint32_t column)
{
    if (!has_cells(c->schema->columns[column].type))
        return "WRITETIME";
    return c->max_write_time ? "MAXWRITETIME" : NULL;
}

void source_columns_init(struct source_columns *c, const struct source_table *table,
                         const struct source_table_options *options, bool times)
{
    const struct map_schema *schema = table->schema;
    *c = (struct source_columns){.schema = schema,
                                 .options = options,
                                 .versioned = options->version_column != NULL,
                                 .version_type = table->version_column_type,
                                 .max_write_time = table->has_max_write_time};
    c->timed = mem_array(schema->column_count + 1, sizeof *c->timed);
    for (uint32_t i = 0; times && i < schema->column_count; i++) {
        if (write_time_of(c, i))
            c->timed[c->timed_count++] = i;
    }
    c->lived = mem_array(schema->column_count + 1, sizeof *c->lived);
    for (uint32_t i = 0; !slice_is_null(schema->ttl_field) && i < schema->column_count; i++) {
        if (!has_cells(schema->columns[i].type)) /* of others it is a list, or an error */
            c->lived[c->lived_count++] = i;
    }
}

void source_columns_free(struct source_columns *c)
{
    free(c->timed);
    free(c->lived);
}

void source_columns_append(const struct source_columns *c, struct buf *out)
{
    for (uint32_t i = 0; i < c->schema->column_count; i++) {
        source_append_name(out, c->schema->columns[i].name);
        buf_append_str(out, ", ");
    }
    for (uint32_t i = 0; i < c->timed_count; i++) {
        buf_printf(out, "%s(", write_time_of(c, c->timed[i]));
        source_append_name(out, c->schema->columns[c->timed[i]].name);
        buf_append_str(out, "), ");
    }
    for (uint32_t i = 0; i < c->lived_count; i++) {
        buf_append_str(out, "TTL(");
        source_append_name(out, c->schema->columns[c->lived[i]].name);
        buf_append_str(out, "), ");
    }
    if (c->versioned) {
        source_append_name(out, slice_str(c->options->version_column));
        buf_append_str(out, ", ");
    }
}

static int64_t read_version(const struct source_columns *c, struct slice cell)
{
    return slice_is_null(cell) ? 0
                               : source_version_of_cell(c->version_type, c->options->unit_us, cell);
}

void source_columns_take(const struct source_columns *c, struct slice *cells, int64_t *times,
                         struct arena *arena, struct change_row *out)
{
    const uint32_t count = c->schema->column_count;
    map_row_normalise(c->schema, cells, arena);
    *out = (struct change_row){.content = {.cells = cells, .cell_count = count},
                               .write_time = CHANGE_NO_WRITE_TIME,
                               .write_times = times};
    if (c->versioned)
        out->version = read_version(c, cells[count + c->timed_count + c->lived_count]);
    for (uint32_t i = 0; i < c->lived_count; i++) {
        const struct slice cell = cells[count + c->timed_count + i];
        const int32_t ttl = slice_is_null(cell) ? 0 : (int32_t)cql_decode_int(cell);
        if (ttl > 0 && (out->ttl == 0 || ttl < out->ttl))
            out->ttl = ttl;
    }
    for (uint32_t i = 0; times && i < count; i++)
        times[i] = CHANGE_NO_WRITE_TIME;
    for (uint32_t i = 0; i < c->timed_count; i++) {
        const struct slice time = cells[count + i];
        if (slice_is_null(time))
            continue;
        if (cql_decode_int(time) > out->write_time)
            out->write_time = cql_decode_int(time);
        if (times)
            times[c->timed[i]] = cql_decode_int(time);
    }
}
