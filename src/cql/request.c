#include "cql/request.h"

#include "base/mem.h"
#include "cql/frame.h"
#include "cql/message.h"
#include "cql/token.h"

#include <stdlib.h>

enum {
    COUNT_MAX = 65535,
    KEY_MAX = 16,        /* columns of a partition key, to be routed */
    PER_VALUE = 4,       /* bytes on the wire around a value */
    PER_STATEMENT = 300, /* id or text length, counts, flags, timestamp */
};

static bool check(const struct cql_statement *statements, size_t count, size_t *values,
                  size_t *bytes, struct err *err)
{
    if (count == 0 || count > COUNT_MAX)
        return err_set(err, ERR_VALUE, "a batch of %zu statements", count);
    size_t wire = 0;
    for (size_t i = 0; i < count; i++) {
        const struct cql_statement *s = &statements[i];
        if (s->value_count > COUNT_MAX)
            return err_set(err, ERR_VALUE, "a statement with %zu values", s->value_count);
        *values += s->value_count;
        *bytes += s->prepared ? 0 : s->text.len;
        wire += PER_STATEMENT;
        for (size_t v = 0; v < s->value_count; v++) {
            if (s->values[v].bytes.len > CQL_FRAME_BODY_MAX)
                return err_set(err, ERR_TOO_LARGE, "a value of %zu bytes", s->values[v].bytes.len);
            *bytes += s->values[v].bytes.len;
        }
        if (*bytes + wire + *values * PER_VALUE > CQL_FRAME_BODY_MAX)
            return err_set(err, ERR_TOO_LARGE, "a request of more than %d bytes",
                           (int)CQL_FRAME_BODY_MAX);
    }
    return true;
}

static struct slice put(char **at, struct slice s)
{
    if (slice_is_null(s))
        return s;
    if (s.len)
        memcpy(*at, s.ptr, s.len);
    const struct slice copy = slice_of(*at, s.len);
    *at += s.len;
    return copy;
}

/* Statements begin with their verb, without comments: they are our own. */
static bool reads(const struct cql_statement *s)
{
    const struct slice text = s->prepared ? s->prepared->text : s->text;
    return text.len > 0 && (text.ptr[0] == 'S' || text.ptr[0] == 's');
}

/* One piece of memory: the request, its statements, their values, then all bytes. */
struct cql_request *cql_request_new(enum cql_request_kind kind,
                                    const struct cql_statement *statements, size_t count,
                                    const struct cql_execution *execution, struct err *err)
{
    size_t value_count = 0, byte_count = execution->paging_state.len;
    if (!check(statements, count, &value_count, &byte_count, err))
        return NULL;
    const size_t head = sizeof(struct cql_request) + count * sizeof *statements;
    struct cql_request *r = mem_alloc(head + value_count * sizeof(struct cql_value) + byte_count);
    struct cql_statement *copies = (struct cql_statement *)(r + 1);
    struct cql_value *values = (struct cql_value *)(copies + count);
    char *bytes = (char *)(values + value_count);
    *r = (struct cql_request){
        .kind = kind,
        .execution = *execution,
        .statements = copies,
        .count = count,
        .attempts_left = (unsigned)count + 4,
    };
    r->repeatable = execution->repeatable || (count == 1 && reads(statements));
    r->execution.paging_state = put(&bytes, execution->paging_state);
    for (size_t i = 0; i < count; i++) {
        copies[i] = statements[i];
        copies[i].text = statements[i].prepared ? SLICE_NULL : put(&bytes, statements[i].text);
        copies[i].values = values;
        for (size_t v = 0; v < statements[i].value_count; v++) {
            const struct cql_value *from = &statements[i].values[v];
            *values++ = (struct cql_value){.kind = from->kind, .bytes = put(&bytes, from->bytes)};
        }
    }
    return r;
}

struct cql_request *cql_request_new_prepare(struct cql_prepared *prepared)
{
    struct cql_request *r = mem_zalloc(sizeof *r);
    r->kind = CQL_REQUEST_PREPARE;
    r->repeatable = true;
    r->prepared = prepared;
    return r;
}

/* The cells of the partition key; false where they are not all bound. */
static bool key_of(const struct cql_statement *statement, struct slice *cells)
{
    const struct cql_metadata *binds = &statement->prepared->binds;
    for (uint32_t i = 0; i < binds->key_count; i++) {
        const uint16_t at = binds->key_indexes[i];
        if (at >= statement->value_count || statement->values[at].kind != CQL_VALUE_SET ||
            statement->values[at].bytes.len > UINT16_MAX)
            return false;
        cells[i] = statement->values[at].bytes;
    }
    return true;
}

static int64_t token_of(const struct slice *cells, size_t count)
{
    if (count == 1)
        return cql_token(cells[0]);
    struct buf key = {0};
    cql_token_key(cells, count, &key);
    const int64_t token = cql_token(buf_slice(&key));
    buf_free(&key);
    return token;
}

struct cql_route cql_request_route(const struct cql_request *r)
{
    struct cql_route route = {0};
    for (size_t i = 0; i < r->count && !route.known; i++) {
        const struct cql_prepared *prepared = r->statements[i].prepared;
        struct slice cells[KEY_MAX];
        if (!prepared || prepared->binds.key_count == 0 || prepared->binds.key_count > KEY_MAX ||
            !key_of(&r->statements[i], cells))
            continue;
        route = (struct cql_route){.known = true,
                                   .keyspace = prepared->binds.columns[0].keyspace,
                                   .token = token_of(cells, prepared->binds.key_count)};
    }
    return route;
}

enum cql_opcode cql_request_opcode(const struct cql_request *r)
{
    switch (r->kind) {
    case CQL_REQUEST_PREPARE:
        return CQL_OP_PREPARE;
    case CQL_REQUEST_BATCH:
        return CQL_OP_BATCH;
    default:
        return r->statements[0].prepared ? CQL_OP_EXECUTE : CQL_OP_QUERY;
    }
}

enum cql_operation cql_request_operation(const struct cql_request *r)
{
    switch (r->kind) {
    case CQL_REQUEST_PREPARE:
        return CQL_OPERATION_PREPARE;
    case CQL_REQUEST_BATCH:
        return CQL_OPERATION_BATCH;
    default:
        return reads(r->statements) ? CQL_OPERATION_READ : CQL_OPERATION_WRITE;
    }
}

static void encode_execute(struct cql_request *r, int version, struct buf *body)
{
    const struct cql_prepared *prepared = r->statements[0].prepared;
    const struct cql_shape *shape = prepared->columns;
    /* Without v5's id of the columns, rows without them could be read with those of another
     * time. */
    const bool skip = version >= 5 && shape->metadata.count > 0 && shape->id.len > 0;
    r->shape = skip ? shape : NULL;
    cql_encode_execute(body, version, prepared->id, shape->id, skip, r->statements, &r->execution);
}

void cql_request_encode(struct cql_request *r, int version, struct buf *body)
{
    if (r->kind == CQL_REQUEST_PREPARE)
        cql_encode_prepare(body, version, r->prepared->text);
    else if (r->kind == CQL_REQUEST_BATCH)
        cql_encode_batch(body, version, r->batch_kind, r->statements, r->count, &r->execution);
    else if (r->statements[0].prepared)
        encode_execute(r, version, body);
    else
        cql_encode_query(body, version, r->statements, &r->execution);
}
