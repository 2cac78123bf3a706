#include "cql/topology.h"

#include "base/mem.h"
#include "cql/answer.h"
#include "cql/error.h"
#include "cql/message.h"

#include <stdio.h>
#include <stdlib.h>

enum step { LOCAL, PEERS_V2, PEERS, KEYSPACES, END };

enum { ID_SIZE = 16, CELLS_MAX = 8 };

struct cql_topology {
    struct cql_call call; /* first */
    struct cql_connection *connection;
    enum step step;
    bool murmur; /* the only partitioner whose tokens are known here */
    struct cql_ring *ring;
    cql_topology_fn *done;
    void *ctx;
};

static const char *const queries[] = {
    [LOCAL] = "SELECT host_id, data_center, rack, rpc_address, tokens, partitioner "
              "FROM system.local WHERE key = 'local'",
    [PEERS_V2] = "SELECT host_id, data_center, rack, native_address, tokens, native_port "
                 "FROM system.peers_v2",
    [PEERS] = "SELECT host_id, data_center, rack, rpc_address, tokens, peer FROM system.peers",
    [KEYSPACES] = "SELECT keyspace_name, replication FROM system_schema.keyspaces",
};
static const uint32_t widths[] = {[LOCAL] = 6, [PEERS_V2] = 6, [PEERS] = 6, [KEYSPACES] = 2};

static void finish(struct cql_topology *t, const struct err *err)
{
    if (err) {
        cql_ring_free(t->ring);
        t->ring = NULL;
    } else {
        cql_ring_close(t->ring);
    }
    t->done(t->ctx, t->ring, err);
    free(t);
}

static bool ask(struct cql_topology *t)
{
    const struct cql_statement query = {.text = slice_str(queries[t->step])};
    const struct cql_execution once = {.consistency = CQL_ONE};
    struct buf *body = cql_connection_begin(t->connection, &t->call, CQL_OP_QUERY);
    if (!body)
        return false;
    cql_encode_query(body, cql_connection_version(t->connection), &query, &once);
    cql_connection_end(t->connection);
    cql_connection_flush(t->connection);
    return true;
}

/* --- rows --- */

/* Null where there is none, or only "any address". */
static struct slice address_text(struct slice address, char *out, size_t size)
{
    static const char any[16];
    const int family = address.len == 4 ? AF_INET : AF_INET6;
    if ((address.len != 4 && address.len != 16) || memcmp(address.ptr, any, address.len) == 0 ||
        uv_inet_ntop(family, address.ptr, out, size) != 0)
        return SLICE_NULL;
    return slice_str(out);
}

static bool parse_token(struct slice text, int64_t *token)
{
    char copy[24], *rest;
    if (text.len == 0 || text.len >= sizeof copy)
        return false;
    memcpy(copy, text.ptr, text.len);
    copy[text.len] = '\0';
    *token = strtoll(copy, &rest, 10);
    return *rest == '\0';
}

/* A set of text. */
static void add_tokens(struct cql_topology *t, struct slice cell)
{
    struct cql_reader r = cql_reader_of(cell);
    for (int32_t left = cql_read_i32(&r); left > 0 && !r.bad; left--) {
        int64_t token;
        if (parse_token(cql_read_bytes(&r), &token))
            cql_ring_add_token(t->ring, token);
    }
}

/* What a node that is just joining says of itself is incomplete: it is left out. */
static void add_node(struct cql_topology *t, const struct slice *cells)
{
    char text[64];
    struct slice address = address_text(cells[3], text, sizeof text);
    if (t->step == PEERS && slice_is_null(address))
        address = address_text(cells[5], text, sizeof text);
    if (cells[0].len != ID_SIZE || slice_is_null(cells[1]) || slice_is_null(cells[2]))
        return;
    if (t->step != LOCAL && (slice_is_null(cells[4]) || slice_is_null(address)))
        return;
    const struct cql_ring_node node = {
        .id = cells[0],
        .datacenter = cells[1],
        .rack = cells[2],
        .address = address,
        .port = t->step == PEERS_V2 ? (uint16_t)cql_decode_int(cells[5]) : 0,
    };
    cql_ring_add_node(t->ring, &node);
    if (t->step == LOCAL)
        t->murmur = cells[5].len > 0 && memmem(cells[5].ptr, cells[5].len, "Murmur3", 7);
    if (t->murmur)
        add_tokens(t, cells[4]);
}

/* A map of text to text. */
static void add_keyspace(struct cql_topology *t, const struct slice *cells)
{
    cql_ring_add_keyspace(t->ring, cells[0]);
    struct cql_reader r = cql_reader_of(cells[1]);
    for (int32_t left = cql_read_i32(&r); left > 0 && !r.bad; left--) {
        const struct slice name = cql_read_bytes(&r), value = cql_read_bytes(&r);
        if (!r.bad)
            cql_ring_add_option(t->ring, name, value);
    }
}

static bool add_rows(struct cql_topology *t, struct cql_reader message, struct err *err)
{
    struct arena arena = {0};
    struct cql_metadata columns;
    struct cql_result result;
    struct slice new_id, cells[CELLS_MAX];
    bool fine = cql_answer_result(message, NULL, &arena, &columns, &result, &new_id, err);
    if (fine && (result.kind != CQL_RESULT_ROWS || result.columns->count != widths[t->step]))
        fine = err_set(err, ERR_PROTOCOL, "unexpected columns of \"%s\"", queries[t->step]);
    if (fine) {
        struct cql_cursor cursor = cql_rows(&result);
        while (cql_next(&cursor, cells)) {
            if (t->step == KEYSPACES)
                add_keyspace(t, cells);
            else
                add_node(t, cells);
        }
    }
    arena_free(&arena);
    return fine;
}

/* --- answers --- */

static bool take(struct cql_topology *t, const struct cql_frame *answer, struct err *err)
{
    static const enum step next[] = {
        [LOCAL] = PEERS_V2, [PEERS_V2] = KEYSPACES, [PEERS] = KEYSPACES, [KEYSPACES] = END};
    struct cql_reader message;
    struct slice warning;
    struct cql_server_error error;
    if (!cql_frame_open(answer, &message, &warning, err))
        return false;
    if (answer->opcode == CQL_OP_ERROR) {
        const bool old = cql_error_decode(message, false, &error, err) &&
                         error.code == CQL_ERROR_INVALID && t->step == PEERS_V2;
        t->step = PEERS;
        return old;
    }
    if (answer->opcode != CQL_OP_RESULT)
        return err_set(err, ERR_PROTOCOL, "unexpected answer (opcode 0x%02X)", answer->opcode);
    if (!add_rows(t, message, err))
        return false;
    t->step = next[t->step];
    return true;
}

static void on_answer(struct cql_call *call, const struct cql_frame *answer, const struct err *err)
{
    struct cql_topology *t = (struct cql_topology *)call;
    struct err own;
    if (err) {
        finish(t, err);
    } else if (!take(t, answer, &own)) {
        finish(t, &own);
    } else if (t->step == END) {
        finish(t, NULL);
    } else if (!ask(t)) {
        err_set(&own, ERR_OVERLOADED, "no room for a request");
        finish(t, &own);
    }
}

bool cql_topology_read(struct cql_connection *connection, cql_topology_fn *done, void *ctx)
{
    struct cql_topology *t = mem_zalloc(sizeof *t);
    t->call.done = on_answer;
    t->connection = connection;
    t->done = done;
    t->ctx = ctx;
    t->ring = cql_ring_new();
    if (ask(t))
        return true;
    cql_ring_free(t->ring);
    free(t);
    return false;
}
