#include "support/script.h"

#include "base/mem.h"
#include "cql/statement.h"
#include "cql/token.h"
#include "cql/wire.h"

#include <stdlib.h>
#include <string.h>

enum { TEXT = 0x0D, INT = 0x09, BIGINT = 0x02, UUID = 0x0C };

static const struct record_column series_columns[] = {
    {"id", "int", INT, NULL}, {"timestamp", "int", INT, NULL}, {"did", "uuid", UUID, NULL}};

static bool contains(struct slice text, const char *part)
{
    return memmem(text.ptr, text.len, part, strlen(part)) != NULL;
}

void script_open(struct script *script, const struct script_options *options)
{
    script->options = *options;
    script->records = records_by_token(options->records);
}

uint64_t script_above(const struct script *script, int64_t token)
{
    uint64_t low = 0, high = script->options.records;
    while (low < high) {
        const uint64_t middle = low + (high - low) / 2;
        if (script->records[middle].token > token)
            high = middle;
        else
            low = middle + 1;
    }
    return low;
}

uint64_t script_find(const struct script *script, struct slice key)
{
    const int64_t token = cql_token(key);
    for (uint64_t i = token == INT64_MIN ? 0 : script_above(script, token - 1);
         i < script->options.records && script->records[i].token == token; i++)
        if (key.len == 16 && memcmp(script->records[i].key, key.ptr, 16) == 0)
            return i;
    return script->options.records;
}

/* --- columns */

static uint16_t type_of(struct slice name, bool series)
{
    for (unsigned i = 0; series && i < ARRAY_LEN(series_columns); i++)
        if (slice_is(name, series_columns[i].name))
            return series_columns[i].type_id;
    for (unsigned i = 0; i < RECORD_COLUMNS; i++)
        if (slice_is(name, record_columns[i].name))
            return record_columns[i].type_id;
    if (slice_is(name, "position") || slice_is(name, "partitions_count"))
        return INT;
    return slice_is(name, "id") ? UUID : TEXT;
}

static struct slice unquoted(struct slice s)
{
    while (s.len > 0 && (*s.ptr == ' ' || *s.ptr == '"'))
        s = slice_of(s.ptr + 1, s.len - 1);
    while (s.len > 0 && (s.ptr[s.len - 1] == ' ' || s.ptr[s.len - 1] == '"'))
        s.len--;
    return s;
}

/* "a, WRITETIME(b), …" */
static unsigned read_columns(struct slice list, bool series, struct script_column *out)
{
    unsigned count = 0;
    while (list.len > 0 && count < SCRIPT_COLUMNS) {
        const char *comma = memchr(list.ptr, ',', list.len);
        const size_t len = comma ? (size_t)(comma - list.ptr) : list.len;
        const struct slice name = unquoted(slice_of(list.ptr, len));
        const uint16_t type = contains(name, "WRITETIME(") ? BIGINT
                              : contains(name, "TTL(")     ? INT
                                                           : type_of(name, series);
        out[count++] = (struct script_column){name, type};
        list = comma ? slice_of(comma + 1, list.len - len - 1) : slice_of("", 0);
    }
    return count;
}

static void read_binds(struct slice text, bool series, struct script_select *s)
{
    const char *open = memchr(text.ptr, '(', text.len);
    const char *close = open ? memchr(open, ')', text.len - (size_t)(open - text.ptr)) : NULL;
    if (memcmp(text.ptr, "INSERT", 6) == 0 && close)
        s->bind_count =
            read_columns(slice_of(open + 1, (size_t)(close - open) - 1), series, s->binds);
    unsigned marks = 0;
    for (size_t i = 0; i < text.len; i++)
        marks += text.ptr[i] == '?';
    for (; s->bind_count < marks && s->bind_count < SCRIPT_COLUMNS; s->bind_count++)
        s->binds[s->bind_count] = (struct script_column){SLICE_LIT("value"), BIGINT};
    s->bind_count = marks < SCRIPT_COLUMNS ? marks : SCRIPT_COLUMNS;
}

/* --- rows */

static void append_cell(struct buf *out, struct slice bytes)
{
    const struct cql_value value = cql_value_of(bytes);
    cql_write_value(out, &value);
}

static void append_data_cell(const struct script *script, const struct record *record,
                             const struct script_column *column, struct buf *out)
{
    char time[8];
    struct buf cell = {0};
    if (contains(column->name, "WRITETIME(")) {
        append_cell(out, cql_encode_i64(time, script->options.version * 1000000));
        return;
    }
    for (unsigned i = 0; i < RECORD_COLUMNS; i++)
        if (slice_is(column->name, record_columns[i].name))
            record_cell(record, i, &cell);
    append_cell(out, cell.ptr ? buf_slice(&cell) : SLICE_NULL);
    buf_free(&cell);
}

static void append_entry_cell(const struct script *script, const struct record *record,
                              const struct script_column *column, struct buf *out)
{
    char number[4];
    if (slice_is(column->name, "did"))
        append_cell(out, slice_of(record->key, sizeof record->key));
    else
        append_cell(out, cql_encode_i32(number, slice_is(column->name, "id")
                                                    ? 0
                                                    : (int32_t)script->options.version));
}

static void render_rows(const struct script *script, struct script_select *s, bool series)
{
    s->row_count = (uint32_t)script->options.records;
    s->row_starts = mem_array(s->row_count + 1, sizeof *s->row_starts);
    for (uint32_t i = 0; i < s->row_count; i++) {
        s->row_starts[i] = (uint32_t)s->rows.len;
        for (unsigned c = 0; c < s->column_count; c++)
            (series ? append_entry_cell : append_data_cell)(script, &script->records[i],
                                                            &s->columns[c], &s->rows);
    }
    s->row_starts[s->row_count] = (uint32_t)s->rows.len;
}

/* --- the server's own tables */

static void append_texts(struct script_select *s, const char *const *texts, unsigned count)
{
    for (unsigned i = 0; i < count; i++)
        append_cell(&s->rows, slice_str(texts[i]));
    s->row_count++;
}

/* column_name, type, kind, position */
static void describe(struct script_select *s, const struct record_column *columns, unsigned count,
                     bool series)
{
    for (unsigned i = 0; i < count; i++) {
        char position[4];
        const bool partition = i == 0, clustering = series && i > 0;
        const char *texts[] = {columns[i].name, columns[i].cql,
                               partition    ? "partition_key"
                               : clustering ? "clustering"
                                            : "regular"};
        append_texts(s, texts, ARRAY_LEN(texts));
        append_cell(&s->rows, cql_encode_i32(position, clustering  ? (int32_t)i - 1
                                                       : partition ? 0
                                                                   : -1));
    }
}

/* The one node of the ring; of what isn't known here there is nothing. */
static void describe_node(struct script_select *s)
{
    static const struct {
        const char *name;
        struct slice cell;
    } known[] = {
        {"release_version", {"5.0.9", 5}},
        {"data_center", {"datacenter1", 11}},
        {"rack", {"rack1", 5}},
        {"host_id", {"0123456789abcdef", 16}},
        {"schema_version", {"0123456789abcdef", 16}},
        {"rpc_address", {"\x7f\0\0\1", 4}},
        {"tokens",
         {"\0\0\0\1\0\0\0\1"
          "0",
          9}},
        {"partitioner", {"org.apache.cassandra.dht.Murmur3Partitioner", 43}},
    };
    for (unsigned c = 0; c < s->column_count; c++) {
        struct slice cell = SLICE_NULL;
        for (unsigned i = 0; i < ARRAY_LEN(known); i++)
            if (slice_is(s->columns[c].name, known[i].name))
                cell = known[i].cell;
        append_cell(&s->rows, cell);
    }
    s->row_count = 1;
}

static void read_system(const struct script *script, struct slice text, struct script_select *s)
{
    char number[16] = "0123456789abcdef";
    if (contains(text, "system.local")) {
        describe_node(s);
    } else if (contains(text, "system_schema.tables")) {
        append_cell(&s->rows, slice_of(number, sizeof number));
        s->row_count = 1;
    } else if (contains(text, "size_estimates")) {
        append_texts(s, (const char *[]){"-9223372036854775808", "-9223372036854775808"}, 2);
        append_cell(&s->rows, cql_encode_i32(number, (int32_t)script->options.records));
    }
}

void script_read(const struct script *script, struct slice text, struct script_select *s)
{
    const bool series = contains(text, "ts\" ") || contains(text, ".ts ") ||
                        contains(text, "ts\"(") || contains(text, ".ts(");
    const char *from = memmem(text.ptr, text.len, " FROM ", 6);
    *s = (struct script_select){.kind = SCRIPT_NOTHING};
    read_binds(text, series, s);
    if (memcmp(text.ptr, "SELECT ", 7) != 0 || !from)
        return;
    s->column_count =
        read_columns(slice_of(text.ptr + 7, (size_t)(from - text.ptr) - 7), series, s->columns);
    s->kind = SCRIPT_FIXED;
    if (contains(text, "system"))
        read_system(script, text, s);
    else if (series && script->options.entries)
        s->kind = SCRIPT_ENTRIES;
    else if (!series && contains(text, "token("))
        s->kind = SCRIPT_RANGE;
    else if (!series && (contains(text, "= ?") || contains(text, "IN (?")))
        s->kind = SCRIPT_KEY;
    if (s->kind != SCRIPT_FIXED)
        render_rows(script, s, series);
}

void script_describe(struct slice table, struct script_select *s)
{
    if (slice_is(table, "ts"))
        describe(s, series_columns, ARRAY_LEN(series_columns), true);
    else
        describe(s, record_columns, RECORD_COLUMNS, false);
}
