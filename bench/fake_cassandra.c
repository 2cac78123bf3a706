/* A scripted Cassandra (protocol v5 and v4) that answers at once, so that what the daemon itself
 * costs can be measured. Keyspace bench, tables data and ts; writes are acknowledged and dropped.
 *
 *   bench_fake_cassandra PORT RECORDS VERSION [entries]     prints its port; 0 takes any */
#include "cql/frame.h"
#include "cql/outbound.h"
#include "cql/segment.h"
#include "support/script.h"
#include "support/serve.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { PREPARED_MAX = 64 };
enum { HAS_VALUES = 1, HAS_PAGE_SIZE = 4, HAS_PAGING_STATE = 8 };
enum { GLOBAL_TABLE = 1, MORE_PAGES = 2, NO_METADATA = 4 };

struct fake {
    struct script script;
    struct script_select prepared[PREPARED_MAX];
    struct slice texts[PREPARED_MAX];
    unsigned prepared_count;
    struct buf stream; /* requests, out of their segments */
    struct cql_outbound out;
};

/* What a request brings beside its statement. */
struct parameters {
    struct slice values[SCRIPT_COLUMNS];
    uint32_t page_size;
    struct slice paging_state;
};

static struct parameters read_parameters(struct cql_reader *r, int version)
{
    struct parameters p = {.page_size = UINT32_MAX, .paging_state = SLICE_NULL};
    cql_read_u16(r);
    const uint32_t flags = version >= 5 ? (uint32_t)cql_read_i32(r) : cql_read_u8(r);
    const unsigned count = flags & HAS_VALUES ? cql_read_u16(r) : 0;
    for (unsigned i = 0; i < count && i < SCRIPT_COLUMNS; i++)
        p.values[i] = cql_read_bytes(r);
    if (flags & HAS_PAGE_SIZE)
        p.page_size = (uint32_t)cql_read_i32(r);
    if (flags & HAS_PAGING_STATE)
        p.paging_state = cql_read_bytes(r);
    return p;
}

static void append_columns(struct buf *body, const struct script_column *columns, unsigned count)
{
    cql_write_string(body, slice_str("bench"));
    cql_write_string(body, slice_str("data"));
    for (unsigned i = 0; i < count; i++) {
        cql_write_string(body, columns[i].name);
        buf_append_be16(body, columns[i].type_id);
    }
}

static void append_head(struct buf *body, const struct script_select *s, bool plain, uint32_t next,
                        uint32_t count)
{
    char state[4];
    buf_append_be32(body, 2);
    buf_append_be32(body, (plain ? GLOBAL_TABLE : NO_METADATA) | (next ? MORE_PAGES : 0));
    buf_append_be32(body, s->column_count);
    if (next)
        cql_write_long_string(body, cql_encode_i32(state, (int32_t)next));
    if (plain)
        append_columns(body, s->columns, s->column_count);
    buf_append_be32(body, count);
}

static void append_rows(struct buf *body, const struct script_select *s, uint64_t first,
                        uint64_t count)
{
    if (s->row_starts)
        buf_append(body, s->rows.ptr + s->row_starts[first],
                   s->row_starts[first + count] - s->row_starts[first]);
    else
        buf_append_slice(body, buf_slice(&s->rows));
}

/* = ?, or IN (?, …), in which the same key may stand twice. */
static void answer_keys(const struct fake *fake, const struct script_select *s,
                        const struct parameters *p, bool plain, struct buf *body)
{
    uint64_t found[SCRIPT_COLUMNS];
    uint32_t count = 0;
    for (unsigned i = 0; i < s->bind_count; i++) {
        const uint64_t row = script_find(&fake->script, p->values[i]);
        if (row < fake->script.options.records && (count == 0 || found[count - 1] != row))
            found[count++] = row;
    }
    append_head(body, s, plain, 0, count);
    for (uint32_t i = 0; i < count; i++)
        append_rows(body, s, found[i], 1);
}

static void answer_select(const struct fake *fake, const struct script_select *s,
                          const struct parameters *p, bool plain, struct buf *body)
{
    const struct script *script = &fake->script;
    uint64_t first = 0, end = s->row_count;
    if (s->kind == SCRIPT_KEY) {
        answer_keys(fake, s, p, plain, body);
        return;
    }
    if (s->kind == SCRIPT_RANGE) {
        first = script_above(script, cql_decode_int(p->values[0]));
        end = script_above(script, cql_decode_int(p->values[1]));
    } else if (s->kind == SCRIPT_ENTRIES && !slice_is_null(p->values[1]) &&
               cql_decode_int(p->values[1]) > script->options.version) {
        end = 0;
    }
    if (!slice_is_null(p->paging_state))
        first = (uint64_t)cql_decode_int(p->paging_state);
    const uint64_t left = end - first, count = left < p->page_size ? left : p->page_size;
    append_head(body, s, plain, count < left ? (uint32_t)(first + count) : 0, (uint32_t)count);
    append_rows(body, s, first, count);
}

static enum cql_opcode answer_query(const struct fake *fake, struct cql_reader r, int version,
                                    struct buf *body)
{
    struct script_select s;
    const struct slice text = cql_read_bytes(&r);
    const struct parameters p = read_parameters(&r, version);
    script_read(&fake->script, text, &s);
    if (memmem(text.ptr, text.len, "system_schema.columns", 21))
        script_describe(p.values[1], &s);
    if (s.kind == SCRIPT_NOTHING)
        buf_append_be32(body, 1);
    else
        answer_select(fake, &s, &p, true, body);
    buf_free(&s.rows);
    free(s.row_starts);
    return CQL_OP_RESULT;
}

/* Its rows are rendered once. */
static unsigned prepare(struct fake *fake, struct slice text)
{
    for (unsigned i = 0; i < fake->prepared_count; i++)
        if (slice_equal(fake->texts[i], text))
            return i;
    if (fake->prepared_count == PREPARED_MAX)
        exit(1);
    const unsigned number = fake->prepared_count++;
    fake->texts[number] = slice_of(strndup(text.ptr, text.len), text.len);
    script_read(&fake->script, fake->texts[number], &fake->prepared[number]);
    return number;
}

static enum cql_opcode answer_prepare(struct fake *fake, struct cql_reader r, int version,
                                      struct buf *body)
{
    char id[4];
    const unsigned number = prepare(fake, cql_read_bytes(&r));
    const struct script_select *s = &fake->prepared[number];
    buf_append_be32(body, 4);
    cql_write_string(body, cql_encode_i32(id, (int32_t)number));
    if (version >= 5)
        cql_write_string(body, slice_of(id, sizeof id));
    buf_append_be32(body, GLOBAL_TABLE);
    buf_append_be32(body, s->bind_count);
    buf_append_be32(body, 0);
    append_columns(body, s->binds, s->bind_count);
    buf_append_be32(body, s->kind == SCRIPT_NOTHING ? NO_METADATA : GLOBAL_TABLE);
    buf_append_be32(body, s->column_count);
    if (s->kind != SCRIPT_NOTHING)
        append_columns(body, s->columns, s->column_count);
    return CQL_OP_RESULT;
}

static enum cql_opcode answer_execute(const struct fake *fake, struct cql_reader r, int version,
                                      struct buf *body)
{
    const uint64_t number = (uint64_t)cql_decode_int(cql_read_string(&r));
    if (number >= fake->prepared_count)
        exit(1);
    if (version >= 5)
        cql_read_string(&r);
    const struct script_select *s = &fake->prepared[number];
    if (s->kind == SCRIPT_NOTHING) {
        buf_append_be32(body, 1);
        return CQL_OP_RESULT;
    }
    const struct parameters p = read_parameters(&r, version);
    answer_select(fake, s, &p, false, body);
    return CQL_OP_RESULT;
}

static enum cql_opcode answer(struct fake *fake, enum cql_opcode opcode, struct cql_reader r,
                              int version, struct buf *body)
{
    switch (opcode) {
    case CQL_OP_OPTIONS:
        buf_append_be16(body, 0);
        return CQL_OP_SUPPORTED;
    case CQL_OP_QUERY:
        return answer_query(fake, r, version, body);
    case CQL_OP_PREPARE:
        return answer_prepare(fake, r, version, body);
    case CQL_OP_EXECUTE:
        return answer_execute(fake, r, version, body);
    case CQL_OP_BATCH:
        buf_append_be32(body, 1);
        return CQL_OP_RESULT;
    default:
        return CQL_OP_READY;
    }
}

/* Answers one request; STARTUP's answer is the last outside of segments. */
static void take_frame(struct fake *fake, struct serve_connection *c, struct slice bytes)
{
    struct cql_reader r = cql_reader_of(bytes);
    const int version = cql_read_u8(&r);
    cql_read_u8(&r);
    const int16_t stream = (int16_t)cql_read_u16(&r);
    const enum cql_opcode opcode = (enum cql_opcode)cql_read_u8(&r);
    cql_read_i32(&r);
    struct buf *frames =
        cql_outbound_begin(&fake->out, version | CQL_FRAME_ANSWER, CQL_OP_RESULT, stream);
    frames->ptr[fake->out.start + 4] = (char)answer(fake, opcode, r, version, frames);
    cql_outbound_end(&fake->out);
    if (opcode == CQL_OP_STARTUP && version >= 5) {
        buf_append_slice(&c->out, buf_slice(frames));
        buf_clear(frames);
        c->state = 1;
    }
}

static size_t take_frames(struct fake *fake, struct serve_connection *c, struct slice bytes)
{
    size_t at = 0;
    while (bytes.len - at >= CQL_FRAME_HEADER) {
        const size_t len =
            CQL_FRAME_HEADER + (size_t)cql_decode_int(slice_of(bytes.ptr + at + 5, 4));
        if (bytes.len - at < len)
            break;
        const int before = c->state;
        take_frame(fake, c, slice_of(bytes.ptr + at, len));
        at += len;
        if (c->state != before)
            break;
    }
    return at;
}

static void drop(struct buf *b, size_t len)
{
    memmove(b->ptr, b->ptr + len, b->len - len);
    b->len -= len;
}

/* A request never lies across two reads of ours for long: they are small, so one stream serves
 * all connections, as long as each leaves it empty. */
static bool take_segments(struct fake *fake, struct serve_connection *c)
{
    size_t at = 0, used;
    struct cql_segment segment;
    struct err err;
    buf_clear(&fake->stream);
    while (cql_segment_decode(slice_of(c->in.ptr + at, c->in.len - at), false, &segment, &used,
                              &err) == CQL_STEP_DONE) {
        buf_append_slice(&fake->stream, segment.payload);
        at += used;
    }
    drop(&c->in, at);
    return take_frames(fake, c, buf_slice(&fake->stream)) == fake->stream.len;
}

static bool take(void *ctx, struct serve_connection *c)
{
    struct fake *fake = ctx;
    bool fine = true;
    fake->out.segments = c->state == 1;
    if (c->state == 1)
        fine = take_segments(fake, c);
    else
        drop(&c->in, take_frames(fake, c, buf_slice(&c->in)));
    struct buf *bytes = cql_outbound_take(&fake->out);
    buf_append_slice(&c->out, buf_slice(bytes));
    buf_clear(bytes);
    return fine;
}

int main(int argc, char **argv)
{
    static struct fake fake;
    if (argc < 4) {
        fprintf(stderr, "usage: %s PORT RECORDS VERSION [entries]\n", argv[0]);
        return 2;
    }
    const struct script_options options = {.records = strtoull(argv[2], NULL, 10),
                                           .version = strtoll(argv[3], NULL, 10),
                                           .entries = argc > 4};
    script_open(&fake.script, &options);
    serve((uint16_t)strtoul(argv[1], NULL, 10), take, &fake);
}
