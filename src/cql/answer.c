#include "cql/answer.h"

/* Every cell has its length in front: one pass over the lengths makes the rows safe to walk. */
static bool check_rows(struct slice rows, uint32_t row_count, uint32_t columns, struct err *err)
{
    if (columns == 0 && row_count > 0)
        return err_set(err, ERR_PROTOCOL, "rows without columns");
    struct cql_reader r = cql_reader_of(rows);
    for (uint64_t cells = (uint64_t)row_count * columns; cells > 0 && !r.bad; cells--)
        cql_read_bytes(&r);
    if (r.bad)
        return err_set(err, ERR_PROTOCOL, "rows are cut off");
    return true;
}

static bool read_rows(struct cql_reader *r, const struct cql_metadata *known, struct arena *arena,
                      struct cql_metadata *columns, struct cql_result *result, struct slice *new_id,
                      struct err *err)
{
    struct cql_metadata_head head;
    if (!cql_metadata_read_rows(r, arena, &head, columns, err))
        return false;
    if (head.absent && (!known || known->count != head.count))
        return err_set(err, ERR_PROTOCOL, "rows came without metadata");
    result->columns = head.absent ? known : columns;
    result->paging_state = head.paging_state;
    *new_id = head.absent ? SLICE_NULL : head.new_id;
    const int32_t row_count = cql_read_i32(r);
    if (r->bad || row_count < 0)
        return err_set(err, ERR_PROTOCOL, "rows are cut off");
    result->row_count = (uint32_t)row_count;
    result->rows = cql_reader_rest(r);
    return check_rows(result->rows, result->row_count, head.count, err);
}

bool cql_answer_result(struct cql_reader message, const struct cql_metadata *known,
                       struct arena *arena, struct cql_metadata *columns, struct cql_result *result,
                       struct slice *new_id, struct err *err)
{
    static const struct cql_metadata none;
    const int32_t kind = cql_read_i32(&message);
    *result = (struct cql_result){.kind = (enum cql_result_kind)kind, .columns = &none};
    *new_id = SLICE_NULL;
    switch (message.bad ? 0 : kind) {
    case CQL_RESULT_VOID:
    case CQL_RESULT_KEYSPACE:
    case CQL_RESULT_SCHEMA:
        return true;
    case CQL_RESULT_ROWS:
        return read_rows(&message, known, arena, columns, result, new_id, err);
    default:
        return err_set(err, ERR_PROTOCOL, "unexpected kind of result (%d)", (int)kind);
    }
}

bool cql_answer_prepared(struct cql_reader message, int version, struct arena *arena,
                         struct cql_preparation *preparation, struct err *err)
{
    const int32_t kind = cql_read_i32(&message);
    if (message.bad || kind != CQL_RESULT_PREPARED)
        return err_set(err, ERR_PROTOCOL, "unexpected answer to PREPARE");
    preparation->id = cql_read_string(&message);
    preparation->result_id = version >= 5 ? cql_read_string(&message) : SLICE_NULL;
    struct cql_metadata_head head;
    return cql_metadata_read_binds(&message, arena, &preparation->binds, err) &&
           cql_metadata_read_rows(&message, arena, &head, &preparation->columns, err);
}

bool cql_answer_event(struct cql_reader message, struct cql_event *event, struct err *err)
{
    *event = (struct cql_event){.type = cql_read_string(&message)};
    event->change = cql_read_string(&message);
    if (slice_is(event->type, "SCHEMA_CHANGE")) {
        event->target = cql_read_string(&message);
        event->keyspace = cql_read_string(&message);
        if (!slice_is(event->target, "KEYSPACE"))
            event->object = cql_read_string(&message);
    } else {
        event->address = cql_read_address(&message);
        event->port = cql_read_i32(&message);
    }
    if (message.bad)
        return err_set(err, ERR_PROTOCOL, "an event is cut off");
    return true;
}
