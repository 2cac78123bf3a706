#include "cql/message.h"

#include "cql/prepared.h"
#include "cql/wire.h"

enum query_flag {
    QUERY_VALUES = 0x01,
    QUERY_SKIP_METADATA = 0x02,
    QUERY_PAGE_SIZE = 0x04,
    QUERY_PAGING_STATE = 0x08,
    QUERY_TIMESTAMP = 0x20,
};

static void write_text(struct buf *out, const char *text)
{
    cql_write_string(out, slice_str(text));
}

void cql_encode_startup(struct buf *out, const char *compression)
{
    buf_append_be16(out, compression ? 4 : 3);
    write_text(out, "CQL_VERSION");
    write_text(out, "3.0.0");
    write_text(out, "DRIVER_NAME");
    write_text(out, "caes-sync");
    write_text(out, "DRIVER_VERSION");
    write_text(out, CAES_VERSION);
    if (compression) {
        write_text(out, "COMPRESSION");
        write_text(out, compression);
    }
}

void cql_encode_auth_response(struct buf *out, const char *username, const char *password)
{
    const size_t user_len = strlen(username), password_len = strlen(password);
    buf_append_be32(out, (uint32_t)(user_len + password_len + 2));
    buf_append_char(out, '\0');
    buf_append(out, username, user_len);
    buf_append_char(out, '\0');
    buf_append(out, password, password_len);
}

void cql_encode_register(struct buf *out)
{
    buf_append_be16(out, 3);
    write_text(out, "TOPOLOGY_CHANGE");
    write_text(out, "STATUS_CHANGE");
    write_text(out, "SCHEMA_CHANGE");
}

/* v5 widened the flags from a byte to an int. */
static void write_flags(struct buf *out, int version, unsigned flags)
{
    if (version >= 5)
        buf_append_be32(out, flags);
    else
        buf_append_char(out, (char)flags);
}

static void write_values(struct buf *out, const struct cql_statement *statement)
{
    buf_append_be16(out, (uint16_t)statement->value_count);
    for (size_t i = 0; i < statement->value_count; i++)
        cql_write_value(out, &statement->values[i]);
}

static void write_parameters(struct buf *out, int version, unsigned flags,
                             const struct cql_statement *statement,
                             const struct cql_execution *execution)
{
    flags |= statement->value_count > 0 ? QUERY_VALUES : 0;
    flags |= execution->page_size > 0 ? QUERY_PAGE_SIZE : 0;
    flags |= !slice_is_null(execution->paging_state) ? QUERY_PAGING_STATE : 0;
    flags |= execution->has_timestamp ? QUERY_TIMESTAMP : 0;
    buf_append_be16(out, (uint16_t)execution->consistency);
    write_flags(out, version, flags);
    if (flags & QUERY_VALUES)
        write_values(out, statement);
    if (flags & QUERY_PAGE_SIZE)
        buf_append_be32(out, (uint32_t)execution->page_size);
    if (flags & QUERY_PAGING_STATE)
        cql_write_long_string(out, execution->paging_state);
    if (flags & QUERY_TIMESTAMP)
        buf_append_be64(out, (uint64_t)execution->timestamp);
}

void cql_encode_query(struct buf *out, int version, const struct cql_statement *statement,
                      const struct cql_execution *execution)
{
    cql_write_long_string(out, statement->text);
    write_parameters(out, version, 0, statement, execution);
}

void cql_encode_prepare(struct buf *out, int version, struct slice text)
{
    cql_write_long_string(out, text);
    if (version >= 5)
        buf_append_be32(out, 0);
}

void cql_encode_execute(struct buf *out, int version, struct slice id, struct slice result_id,
                        bool skip_metadata, const struct cql_statement *statement,
                        const struct cql_execution *execution)
{
    cql_write_string(out, id);
    if (version >= 5)
        cql_write_string(out, result_id);
    write_parameters(out, version, skip_metadata ? QUERY_SKIP_METADATA : 0, statement, execution);
}

void cql_encode_batch(struct buf *out, int version, enum cql_batch_kind kind,
                      const struct cql_statement *statements, size_t count,
                      const struct cql_execution *execution)
{
    buf_append_char(out, (char)kind);
    buf_append_be16(out, (uint16_t)count);
    for (size_t i = 0; i < count; i++) {
        const struct cql_statement *statement = &statements[i];
        buf_append_char(out, statement->prepared ? 1 : 0);
        if (statement->prepared)
            cql_write_string(out, statement->prepared->id);
        else
            cql_write_long_string(out, statement->text);
        write_values(out, statement);
    }
    buf_append_be16(out, (uint16_t)execution->consistency);
    write_flags(out, version, execution->has_timestamp ? QUERY_TIMESTAMP : 0);
    if (execution->has_timestamp)
        buf_append_be64(out, (uint64_t)execution->timestamp);
}
