/* What Cassandra gives and takes when the client does next to nothing: frames are encoded before
 * the clock starts, answers are counted and dropped (protocol v4).
 *
 *   bench_raw_cassandra HOST PORT KEYSPACE scan
 *   bench_raw_cassandra HOST PORT KEYSPACE rows|batches|logged|pairs FIRST COUNT VERSION [RATE]
 *
 * rows: an INSERT each; batches: unlogged ones of 10 rows; logged, pairs: row and entry in a logged
 * batch, or one behind the other. VERSION (in seconds): see
 * RECORD_VERSIONS; 0: now. RATE is in records a second. Prints
 * JSON. */
#include "cql/frame.h"
#include "cql/message.h"
#include "cql/prepared.h"
#include "cql/wire.h"
#include "support/drive.h"
#include "support/record.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

enum { VERSION = 4, RANGES = 64, PAGE = 5000, BATCH = 10, SCANS = 4, ROW_VALUES = 9 };
enum { ROW, ENTRY, SCAN, STATEMENTS };

struct range {
    int64_t low, high;
    bool open;
    struct buf state; /* of paging */
};

struct raw {
    const char *keyspace, *mode;
    struct cql_prepared prepared[STATEMENTS];
    char ids[STATEMENTS][32];
    unsigned greeted;
    uint64_t first, count, done, records;
    int64_t version;
    bool paced;
    unsigned next_range;
    struct range ranges[DRIVE_CONNECTIONS];
};

/* --- statements */

static void append_names(struct buf *out)
{
    for (unsigned i = 0; i < RECORD_COLUMNS; i++)
        buf_printf(out, i ? ", %s" : "%s", record_columns[i].name);
}

static void append_statement(const struct raw *raw, unsigned which, struct buf *out)
{
    if (which == ENTRY) {
        buf_printf(out,
                   "INSERT INTO %s.ts (id, timestamp, did) VALUES (0, ?, ?) USING TTL 3600 "
                   "AND TIMESTAMP ?",
                   raw->keyspace);
        return;
    }
    buf_append_str(out, which == ROW ? "INSERT INTO " : "SELECT ");
    if (which == ROW)
        buf_printf(out, "%s.data (", raw->keyspace);
    append_names(out);
    if (which == ROW)
        buf_append_str(out, ") VALUES (?, ?, ?, ?, ?, ?, ?, ?) USING TIMESTAMP ?");
    else
        buf_printf(out, " FROM %s.data WHERE token(did) > ? AND token(did) <= ?", raw->keyspace);
}

static bool greet(void *ctx, unsigned step, struct buf *out)
{
    struct raw *raw = ctx;
    struct buf text = {0};
    if (step > STATEMENTS)
        return false;
    const size_t start = cql_frame_begin(out, VERSION, step ? CQL_OP_PREPARE : CQL_OP_STARTUP, 0);
    if (step == 0) {
        cql_encode_startup(out, NULL);
    } else {
        append_statement(raw, step - 1, &text);
        cql_encode_prepare(out, VERSION, buf_slice(&text));
    }
    cql_frame_end(out, start);
    raw->greeted = step;
    buf_free(&text);
    return true;
}

static void take_prepared(struct raw *raw, struct cql_reader r)
{
    if (cql_read_i32(&r) != 4)
        return;
    const struct slice id = cql_read_string(&r);
    memcpy(raw->ids[raw->greeted - 1], id.ptr, id.len);
    raw->prepared[raw->greeted - 1].id = slice_of(raw->ids[raw->greeted - 1], id.len);
}

/* --- writes */

struct values {
    struct buf cells;
    struct cql_value row[ROW_VALUES], entry[3];
    char time[8], version[4];
};

static int64_t version_of(const struct raw *raw, uint64_t number)
{
    return raw->version ? raw->version - (int64_t)(number % RECORD_VERSIONS) : (int64_t)time(NULL);
}

static void make_values(const struct raw *raw, uint64_t number, struct values *v)
{
    const struct record record = record_make(number);
    const int64_t version = version_of(raw, number);
    size_t starts[RECORD_COLUMNS + 1];
    buf_clear(&v->cells);
    for (unsigned i = 0; i < RECORD_COLUMNS; i++) {
        starts[i] = v->cells.len;
        record_cell(&record, i, &v->cells);
    }
    starts[RECORD_COLUMNS] = v->cells.len;
    for (unsigned i = 0; i < RECORD_COLUMNS; i++)
        v->row[i] = cql_value_of(slice_of(v->cells.ptr + starts[i], starts[i + 1] - starts[i]));
    v->row[RECORD_COLUMNS] =
        cql_value_of(cql_encode_i64(v->time, version * 1000000 + (int64_t)(number % 1000000)));
    v->entry[0] = cql_value_of(cql_encode_i32(v->version, (int32_t)version));
    v->entry[1] = v->row[0];
    v->entry[2] = v->row[RECORD_COLUMNS];
}

static struct cql_statement statement_of(const struct raw *raw, const struct values *v, bool entry)
{
    return (struct cql_statement){.prepared = &raw->prepared[entry ? ENTRY : ROW],
                                  .values = entry ? v->entry : v->row,
                                  .value_count = entry ? 3 : ROW_VALUES};
}

static const struct cql_execution quorum = {.consistency = CQL_LOCAL_QUORUM};

static bool next_single(struct raw *raw, struct buf *out, bool pairs)
{
    static struct values v;
    const uint64_t number = pairs ? raw->done / 2 : raw->done;
    if (number >= raw->count)
        return false;
    make_values(raw, raw->first + number, &v);
    const bool entry = pairs && raw->done % 2;
    const struct cql_statement statement = statement_of(raw, &v, entry);
    const size_t start =
        cql_frame_begin(out, VERSION, CQL_OP_EXECUTE, (int16_t)(raw->done % 30000));
    cql_encode_execute(out, VERSION, statement.prepared->id, SLICE_NULL, true, &statement, &quorum);
    cql_frame_end(out, start);
    raw->done++;
    return true;
}

static bool next_batch(struct raw *raw, struct buf *out, bool logged)
{
    static struct values v[BATCH];
    struct cql_statement statements[BATCH];
    size_t count = 0;
    if (raw->done >= raw->count)
        return false;
    if (logged) {
        make_values(raw, raw->first + raw->done++, &v[0]);
        statements[count++] = statement_of(raw, &v[0], true);
        statements[count++] = statement_of(raw, &v[0], false);
    }
    while (!logged && count < BATCH && raw->done < raw->count) {
        make_values(raw, raw->first + raw->done++, &v[count]);
        statements[count] = statement_of(raw, &v[count], false);
        count++;
    }
    const size_t start = cql_frame_begin(out, VERSION, CQL_OP_BATCH, (int16_t)(raw->done % 30000));
    cql_encode_batch(out, VERSION, logged ? CQL_BATCH_LOGGED : CQL_BATCH_UNLOGGED, statements,
                     count, &quorum);
    cql_frame_end(out, start);
    return true;
}

/* --- scan: a connection reads a range after the other */

static void next_range(struct raw *raw, struct range *range)
{
    const uint64_t width = UINT64_MAX / RANGES, number = raw->next_range++;
    range->low = (int64_t)((uint64_t)INT64_MIN + number * width);
    range->high = number == RANGES - 1 ? INT64_MAX : (int64_t)((uint64_t)range->low + width);
    range->open = true;
    buf_clear(&range->state);
}

static bool next_page(struct raw *raw, unsigned connection, struct buf *out)
{
    char low[8], high[8];
    struct range *range = &raw->ranges[connection];
    if (!range->open && raw->next_range == RANGES)
        return false;
    if (!range->open)
        next_range(raw, range);
    const struct cql_value values[] = {cql_value_of(cql_encode_i64(low, range->low)),
                                       cql_value_of(cql_encode_i64(high, range->high))};
    const struct cql_statement statement = {
        .prepared = &raw->prepared[SCAN], .values = values, .value_count = 2};
    const struct cql_execution how = {.consistency = CQL_LOCAL_QUORUM,
                                      .page_size = PAGE,
                                      .paging_state =
                                          range->state.len ? buf_slice(&range->state) : SLICE_NULL};
    const size_t start = cql_frame_begin(out, VERSION, CQL_OP_EXECUTE, 0);
    cql_encode_execute(out, VERSION, statement.prepared->id, SLICE_NULL, true, &statement, &how);
    cql_frame_end(out, start);
    return true;
}

static void take_page(struct raw *raw, unsigned connection, struct cql_reader r)
{
    enum { MORE = 2 };
    struct range *range = &raw->ranges[connection];
    cql_read_i32(&r);
    const int32_t flags = cql_read_i32(&r);
    cql_read_i32(&r);
    range->open = (flags & MORE) != 0;
    buf_clear(&range->state);
    if (range->open)
        buf_append_slice(&range->state, cql_read_bytes(&r));
    raw->records += (uint64_t)cql_read_i32(&r);
}

/* --- */

static bool next(void *ctx, unsigned connection, struct buf *out)
{
    struct raw *raw = ctx;
    switch (raw->mode[0]) {
    case 's':
        return next_page(raw, connection, out);
    case 'b':
    case 'l':
        return next_batch(raw, out, raw->mode[0] == 'l');
    default:
        return next_single(raw, out, raw->mode[0] == 'p');
    }
}

/* At a fixed rate a server that is late is nothing to give up for. */
static void take_error(const struct raw *raw, struct cql_reader r)
{
    enum { OVERLOADED = 0x1001, WRITE_TIMEOUT = 0x1100 };
    char what[32];
    const int32_t code = cql_read_i32(&r);
    if (raw->paced && (code == OVERLOADED || code == WRITE_TIMEOUT))
        return;
    snprintf(what, sizeof what, "cassandra: error 0x%x", (unsigned)code);
    drive_fail(what, cql_read_string(&r));
}

static size_t take(void *ctx, unsigned connection, struct slice in)
{
    struct raw *raw = ctx;
    if (in.len < CQL_FRAME_HEADER)
        return 0;
    const size_t len = CQL_FRAME_HEADER + (size_t)cql_decode_int(slice_of(in.ptr + 5, 4));
    if (in.len < len)
        return 0;
    const struct cql_reader body =
        cql_reader_of(slice_of(in.ptr + CQL_FRAME_HEADER, len - CQL_FRAME_HEADER));
    if (in.ptr[4] == CQL_OP_ERROR)
        take_error(raw, body);
    if (raw->greeted <= STATEMENTS && in.ptr[4] == CQL_OP_RESULT && raw->greeted > 0 &&
        cql_decode_int(slice_of(in.ptr + CQL_FRAME_HEADER, 4)) == 4)
        take_prepared(raw, body);
    else if (raw->mode[0] == 's' && in.ptr[4] == CQL_OP_RESULT)
        take_page(raw, connection, body);
    return len;
}

int main(int argc, char **argv)
{
    static struct raw raw;
    if (argc < 5 || (argc < 8 && argv[4][0] != 's')) {
        fprintf(stderr, "usage: %s HOST PORT KEYSPACE scan | MODE FIRST COUNT VERSION [RATE]\n",
                argv[0]);
        return 2;
    }
    raw.keyspace = argv[3];
    raw.mode = argv[4];
    const bool scan = raw.mode[0] == 's';
    if (!scan) {
        raw.first = strtoull(argv[5], NULL, 10);
        raw.count = raw.records = strtoull(argv[6], NULL, 10);
        raw.version = strtoll(argv[7], NULL, 10);
    }
    const double rate = argc > 8 ? strtod(argv[8], NULL) : 0;
    raw.paced = rate > 0;
    const struct drive_options options = {.host = argv[1],
                                          .port = (uint16_t)strtoul(argv[2], NULL, 10),
                                          .connections = scan ? SCANS : 2,
                                          .window = scan                 ? 1
                                                    : raw.mode[0] == 'b' ? 16
                                                    : raw.mode[0] == 'l' ? 32
                                                                         : 128,
                                          .rate = raw.mode[0] == 'p' ? 2 * rate : rate};
    const struct drive_calls calls = {next, take, greet, &raw};
    drive(&options, &calls, &raw.records);
}
