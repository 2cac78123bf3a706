#include "cql/agreement.h"

#include "cql/answer.h"
#include "cql/message.h"

enum { PATIENCE_MS = 10 * 1000, PAUSE_MS = 100, VERSION_SIZE = 16 };

static uint64_t now_ms(void)
{
    return uv_hrtime() / 1000000;
}

static bool ask(struct cql_agreement *a)
{
    const struct cql_statement query = {
        .text = a->peers ? SLICE_LIT("SELECT host_id, schema_version FROM system.peers")
                         : SLICE_LIT("SELECT host_id, schema_version FROM system.local "
                                     "WHERE key = 'local'")};
    const struct cql_execution once = {.consistency = CQL_ONE};
    struct buf *body = cql_connection_begin(a->connection, &a->call, CQL_OP_QUERY);
    if (!body)
        return false;
    cql_encode_query(body, cql_connection_version(a->connection), &query, &once);
    cql_connection_end(a->connection);
    cql_connection_flush(a->connection);
    return true;
}

/* A node that is down has what it had. */
static bool is_equal(struct cql_agreement *a, const struct slice *cells)
{
    if (cells[0].len != VERSION_SIZE || cells[1].len != VERSION_SIZE)
        return true;
    if (!a->peers)
        memcpy(a->version, cells[1].ptr, VERSION_SIZE);
    return memcmp(a->version, cells[1].ptr, VERSION_SIZE) == 0 ||
           cql_cluster_is_down(a->cluster, cells[0]);
}

/* What can't be read is not waited for. */
static bool take(struct cql_agreement *a, const struct cql_frame *answer)
{
    struct arena arena = {0};
    struct cql_metadata columns;
    struct cql_result result;
    struct cql_reader message;
    struct slice warning, new_id, cells[2];
    bool equal = true;
    if (answer->opcode == CQL_OP_RESULT && cql_frame_open(answer, &message, &warning, NULL) &&
        cql_answer_result(message, NULL, &arena, &columns, &result, &new_id, NULL) &&
        result.columns->count == 2) {
        struct cql_cursor cursor = cql_rows(&result);
        while (cql_next(&cursor, cells))
            equal &= is_equal(a, cells);
    }
    arena_free(&arena);
    return equal;
}

static void start_round(void *ctx);

static void pause_round(struct cql_agreement *a)
{
    if (now_ms() >= a->until)
        a->done(a);
    else
        a->timer = io_timer_start(a->loop, PAUSE_MS, start_round, a);
}

static void start_round(void *ctx)
{
    struct cql_agreement *a = ctx;
    a->timer = NULL;
    a->peers = false;
    a->connection = a->host ? cql_host_any(a->host) : NULL;
    if (!a->connection || !ask(a))
        pause_round(a);
}

static void on_answer(struct cql_call *call, const struct cql_frame *answer, const struct err *err)
{
    struct cql_agreement *a = (struct cql_agreement *)call;
    const bool first = !a->peers, equal = !err && take(a, answer);
    a->peers = true;
    if ((equal && !first) || (err && err->code == ERR_CANCELLED))
        a->done(a);
    else if (!equal || !ask(a))
        pause_round(a);
}

void cql_agreement_start(struct cql_agreement *a)
{
    a->call.done = on_answer;
    a->until = now_ms() + PATIENCE_MS;
    start_round(a);
}

void cql_agreement_end(struct cql_agreement *a)
{
    if (a->timer)
        io_timer_cancel(a->timer);
    else
        cql_connection_abandon(a->connection, &a->call);
    a->timer = NULL;
    a->done(a);
}
