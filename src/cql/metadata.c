#include "cql/metadata.h"

enum metadata_flag {
    METADATA_GLOBAL = 0x01,
    METADATA_MORE_PAGES = 0x02,
    METADATA_ABSENT = 0x04,
    METADATA_CHANGED = 0x08,
};

enum {
    COLUMN_SIZE_MIN = 4, /* an empty name and an option without value */
    COLUMNS_MAX = 65535, /* as many values as a request can bind */
};

static bool cut_off(struct err *err)
{
    return err_set(err, ERR_PROTOCOL, "metadata is cut off");
}

static bool read_columns(struct cql_reader *r, bool global, uint32_t count, struct arena *arena,
                         struct cql_metadata *out, struct err *err)
{
    struct slice keyspace = SLICE_NULL, table = SLICE_NULL;
    if (global) {
        keyspace = arena_copy(arena, cql_read_string(r));
        table = arena_copy(arena, cql_read_string(r));
    }
    if (r->bad || count > r->left / COLUMN_SIZE_MIN)
        return cut_off(err);
    if (count > COLUMNS_MAX)
        return err_set(err, ERR_PROTOCOL, "metadata of %u columns", count);
    struct cql_column *columns = arena_alloc(arena, count * sizeof *columns);
    for (uint32_t i = 0; i < count; i++) {
        struct cql_column *column = &columns[i];
        column->keyspace = global ? keyspace : arena_copy(arena, cql_read_string(r));
        column->table = global ? table : arena_copy(arena, cql_read_string(r));
        column->name = arena_copy(arena, cql_read_string(r));
        if (r->bad)
            return cut_off(err);
        struct slice rest = cql_reader_rest(r);
        column->type = cql_type_decode(&rest, arena, err);
        if (!column->type)
            return err_context(err, "column %.*s", SLICE_ARG(column->name));
        *r = cql_reader_of(rest);
    }
    out->columns = columns;
    out->count = count;
    return true;
}

bool cql_metadata_read_rows(struct cql_reader *r, struct arena *arena,
                            struct cql_metadata_head *head, struct cql_metadata *columns,
                            struct err *err)
{
    *columns = (struct cql_metadata){0};
    const uint32_t flags = (uint32_t)cql_read_i32(r);
    const int32_t count = cql_read_i32(r);
    *head = (struct cql_metadata_head){.absent = flags & METADATA_ABSENT};
    if (flags & METADATA_MORE_PAGES)
        head->paging_state = cql_read_bytes(r);
    if (flags & METADATA_CHANGED)
        head->new_id = cql_read_string(r);
    if (r->bad || count < 0)
        return cut_off(err);
    head->count = (uint32_t)count;
    return head->absent ||
           read_columns(r, flags & METADATA_GLOBAL, head->count, arena, columns, err);
}

bool cql_metadata_read_binds(struct cql_reader *r, struct arena *arena, struct cql_metadata *binds,
                             struct err *err)
{
    *binds = (struct cql_metadata){0};
    const uint32_t flags = (uint32_t)cql_read_i32(r);
    const int32_t count = cql_read_i32(r);
    const int32_t key_count = cql_read_i32(r);
    if (r->bad || count < 0 || key_count < 0 || (size_t)key_count > r->left / 2)
        return cut_off(err);
    uint16_t *keys = arena_alloc(arena, (size_t)key_count * sizeof *keys);
    for (int32_t i = 0; i < key_count; i++) {
        keys[i] = cql_read_u16(r);
        if (keys[i] >= count)
            return err_set(err, ERR_PROTOCOL, "a partition key index is beyond the binds");
    }
    binds->key_indexes = keys;
    binds->key_count = (uint32_t)key_count;
    return read_columns(r, flags & METADATA_GLOBAL, (uint32_t)count, arena, binds, err);
}
