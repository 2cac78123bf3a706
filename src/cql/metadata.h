#ifndef CQL_METADATA_H
#define CQL_METADATA_H

#include "base/arena.h"
#include "base/attr.h"
#include "base/err.h"
#include "cql/result.h"
#include "cql/wire.h"

/* Metadata of rows and of prepared statements, v5 specification sections 4.2.5.2 and 4.2.5.4. */
struct cql_metadata_head {
    uint32_t count;
    bool absent;               /* rows only: the columns were left out on request */
    struct slice paging_state; /* null: no more pages */
    struct slice new_id;       /* v5: "metadata changed", null otherwise */
};

/* Both read one metadata from r; columns live in arena (everything copied), the slices of head in
 * what is read. columns->count is 0 when they are absent. Errors: ERR_PROTOCOL. */
MUST_USE bool cql_metadata_read_rows(struct cql_reader *r, struct arena *arena,
                                     struct cql_metadata_head *head, struct cql_metadata *columns,
                                     struct err *err);
MUST_USE bool cql_metadata_read_binds(struct cql_reader *r, struct arena *arena,
                                      struct cql_metadata *binds, struct err *err);

#endif
