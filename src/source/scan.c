#include "source/scan.h"

#include "base/mem.h"
#include "cql/token.h"
#include "map/convert.h"
#include "source/await.h"
#include "source/columns.h"

#include <stdlib.h>

enum { FIRST_PAGE = 500, PAGE_MIN = 10, PAGE_MAX = 20000, PAGE_BYTES = 1 << 20 };

struct source_scan {
    struct cql_client *client;
    const struct map_schema *schema;
    const struct source_table_options *options;
    struct source_columns columns;
    const struct cql_prepared *select;
    uint32_t page_bytes;
    bool keys_only;
};

/* What is read of a row beside its key. */
static uint32_t content_count(const struct source_scan *scan)
{
    return scan->keys_only ? 0 : source_columns_count(&scan->columns);
}

void source_range_open(struct source_range *range, int64_t low, int64_t high)
{
    *range = (struct source_range){
        .low = low, .high = high, .paging_state = SLICE_NULL, .page_size = FIRST_PAGE};
}

void source_range_close(struct source_range *range)
{
    arena_free(&range->paging);
    range->paging_state = SLICE_NULL;
}

/* --- reading */

/* One page on its way. */
struct paging {
    const struct source_scan *scan;
    const struct source_range *range;
    source_scan_fn *fn;
    void *ctx;
    struct slice *cells;
    struct buf text, routing;
    struct arena arena; /* of one row */
    uint32_t rows;
    uint64_t bytes;
    bool astray;
};

static bool take_row(void *ctx, const struct slice *from, uint32_t count)
{
    struct paging *p = ctx;
    const struct map_schema *schema = p->scan->schema;
    struct err err = {0};
    for (uint32_t i = 0; i < count; i++) {
        p->cells[i] = from[i];
        p->bytes += from[i].len + 4;
    }
    struct slice *keys = p->cells, *columns = p->cells + schema->key_count;
    struct source_scanned row = {.key.cells = keys};
    buf_clear(&p->routing);
    cql_token_key(keys, schema->partition_count, &p->routing);
    row.token = cql_token(buf_slice(&p->routing));
    buf_clear(&p->text);
    if (!map_key_text(schema, keys, &p->text, &err))
        row.unusable = err.text;
    row.key.text = buf_slice(&p->text);
    arena_reset(&p->arena);
    if (p->scan->keys_only)
        row.row = (struct change_row){.write_time = CHANGE_NO_WRITE_TIME};
    else
        source_columns_take(&p->scan->columns, columns, NULL, &p->arena, &row.row);
    p->astray = p->astray || row.token <= p->range->low || row.token > p->range->high;
    p->fn(p->ctx, &row);
    p->rows++;
    return true;
}

/* Pages of about the same size in bytes, whatever rows are like. */
static uint32_t next_page_size(const struct source_scan *scan, const struct paging *p,
                               uint32_t before)
{
    if (p->rows == 0)
        return before;
    uint64_t size = scan->page_bytes / (p->bytes / p->rows + 1);
    if (size > 4 * (uint64_t)before)
        size = 4 * (uint64_t)before;
    return size < PAGE_MIN ? PAGE_MIN : size > PAGE_MAX ? PAGE_MAX : (uint32_t)size;
}

bool source_scan_page(struct source_scan *scan, struct source_range *range, source_scan_fn *fn,
                      void *ctx, struct err *err)
{
    char low[8], high[8];
    const struct cql_value values[] = {cql_value_of(cql_encode_i64(low, range->low)),
                                       cql_value_of(cql_encode_i64(high, range->high))};
    const struct cql_statement statement = {
        .prepared = scan->select, .values = values, .value_count = ARRAY_LEN(values)};
    const struct cql_execution execution = {.consistency = scan->options->consistency,
                                            .page_size = (int32_t)range->page_size};
    const uint32_t cells = scan->schema->key_count + content_count(scan);
    struct paging p = {.scan = scan, .range = range, .fn = fn, .ctx = ctx};
    struct arena paging = {0};
    p.cells = mem_array(cells + 1, sizeof *p.cells);
    const bool fine = await_cql_page(scan->client, &statement, &execution, &range->paging_state,
                                     &paging, take_row, &p, err);
    if (fine) {
        arena_free(&range->paging);
        range->paging = paging;
        range->ended = slice_is_null(range->paging_state);
        range->page_size = next_page_size(scan, &p, range->page_size);
    } else {
        arena_free(&paging);
    }
    free(p.cells);
    arena_free(&p.arena);
    buf_free(&p.text);
    buf_free(&p.routing);
    if (fine && p.astray)
        return err_set(err, ERR_SCHEMA,
                       "rows of %s.%s lie on other tokens than Murmur3Partitioner gives them",
                       scan->options->keyspace, scan->options->data);
    return fine;
}

/* --- set-up */

static void append_partition_key(struct buf *out, const struct map_schema *schema)
{
    buf_append_str(out, "token(");
    for (uint32_t i = 0; i < schema->partition_count; i++) {
        buf_append_str(out, i ? ", " : "");
        source_append_name(out, schema->keys[i].name);
    }
    buf_append_char(out, ')');
}

static void append_select(struct buf *out, const struct source_scan *scan)
{
    const struct map_schema *schema = scan->schema;
    buf_append_str(out, "SELECT ");
    for (uint32_t i = 0; i < schema->key_count; i++) {
        source_append_name(out, schema->keys[i].name);
        buf_append_str(out, ", ");
    }
    if (!scan->keys_only)
        source_columns_append(&scan->columns, out);
    out->len -= strlen(", ");
    buf_append_str(out, " FROM ");
    source_append_table(out, scan->options->keyspace, scan->options->data);
    buf_append_str(out, " WHERE ");
    append_partition_key(out, schema);
    buf_append_str(out, " > ? AND ");
    append_partition_key(out, schema);
    buf_append_str(out, " <= ?");
}

static bool copy_text(void *ctx, const struct slice *cells, uint32_t count)
{
    if (count > 0)
        buf_append_slice(ctx, cells[0]);
    return true;
}

static bool check_partitioner(struct cql_client *client, struct err *err)
{
    struct buf name = {0};
    const struct cql_statement statement = {.text =
                                                SLICE_LIT("SELECT partitioner FROM system.local")};
    const struct cql_execution execution = {.consistency = CQL_LOCAL_ONE};
    bool fine = await_cql_rows(client, &statement, &execution, copy_text, &name, err);
    static const char known[] = ".Murmur3Partitioner";
    const size_t len = strlen(known);
    if (fine && (name.len < len || memcmp(name.ptr + name.len - len, known, len) != 0))
        fine = err_set(err, ERR_SCHEMA,
                       "the cluster's partitioner is %.*s; only "
                       "Murmur3Partitioner can be scanned",
                       SLICE_ARG(buf_slice(&name)));
    buf_free(&name);
    return fine;
}

struct source_scan *source_scan_new(struct cql_client *client, const struct source_table *table,
                                    const struct source_table_options *options,
                                    const struct source_scan_options *scan_options, struct err *err)
{
    struct source_scan *scan = mem_zalloc(sizeof *scan);
    scan->client = client;
    scan->schema = table->schema;
    scan->options = options;
    scan->keys_only = scan_options->keys_only;
    scan->page_bytes = scan_options->page_bytes ? scan_options->page_bytes : PAGE_BYTES;
    source_columns_init(&scan->columns, table, options, scan_options->times);
    struct buf text = {0};
    append_select(&text, scan);
    const bool fine = check_partitioner(client, err) &&
                      await_cql_prepare(client, buf_cstr(&text), &scan->select, err);
    buf_free(&text);
    if (fine)
        return scan;
    source_scan_free(scan);
    return NULL;
}

void source_scan_free(struct source_scan *scan)
{
    if (!scan)
        return;
    source_columns_free(&scan->columns);
    free(scan);
}

/* --- how much there is */

struct estimate {
    double share; /* of the ring */
    int64_t partitions;
};

static int64_t token_of_text(struct slice text)
{
    char copy[32];
    const size_t len = text.len < sizeof copy - 1 ? text.len : sizeof copy - 1;
    memcpy(copy, text.ptr, len);
    copy[len] = '\0';
    return strtoll(copy, NULL, 10);
}

static bool add_estimate(void *ctx, const struct slice *cells, uint32_t count)
{
    struct estimate *e = ctx;
    if (count < 3 || slice_is_null(cells[0]) || slice_is_null(cells[1]) || slice_is_null(cells[2]))
        return true;
    const uint64_t width = (uint64_t)token_of_text(cells[1]) - (uint64_t)token_of_text(cells[0]);
    e->share += width ? (double)width / 18446744073709551616.0 : 1.0;
    e->partitions += cql_decode_int(cells[2]);
    return true;
}

bool source_scan_estimate(struct cql_client *client, const struct source_table_options *options,
                          int64_t *partitions, struct err *err)
{
    /* The node that answers knows its own ranges only. */
    struct estimate e = {0};
    const struct cql_value values[] = {cql_value_of(slice_str(options->keyspace)),
                                       cql_value_of(slice_str(options->data))};
    const struct cql_statement statement = {
        .text = SLICE_LIT("SELECT range_start, range_end, partitions_count FROM "
                          "system.size_estimates WHERE keyspace_name = ? AND table_name = ?"),
        .values = values,
        .value_count = ARRAY_LEN(values),
    };
    const struct cql_execution execution = {.consistency = CQL_LOCAL_ONE, .page_size = 5000};
    *partitions = 0;
    if (!await_cql_rows(client, &statement, &execution, add_estimate, &e, err))
        return false;
    if (e.share > 0.0)
        *partitions = (int64_t)((double)e.partitions / (e.share < 1.0 ? e.share : 1.0));
    return true;
}
