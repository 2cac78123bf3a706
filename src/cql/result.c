#include "cql/result.h"

#include "cql/wire.h"

struct cql_cursor cql_rows(const struct cql_result *result)
{
    return (struct cql_cursor){
        .rest = result->rows,
        .left = result->row_count,
        .columns = result->columns->count,
    };
}

bool cql_next(struct cql_cursor *cursor, struct slice *cells)
{
    if (cursor->left == 0)
        return false;
    struct cql_reader r = cql_reader_of(cursor->rest);
    for (uint32_t i = 0; i < cursor->columns; i++)
        cells[i] = cql_read_bytes(&r);
    cursor->rest = cql_reader_rest(&r);
    cursor->left--;
    return true;
}
