#ifndef CQL_PREPARED_H
#define CQL_PREPARED_H

#include "base/arena.h"
#include "cql/answer.h"
#include "cql/result.h"

#include <stdbool.h>

/* Prepared statements of one client. Nodes give a statement the same id, a hash of its text. */

/* Columns of rows at one time of the schema; lives as long as the registry, since answers to
 * requests sent before a change still come in the old form. */
struct cql_shape {
    struct cql_shape *older;
    struct slice id; /* result_metadata_id of v5; null in v4 */
    struct cql_metadata metadata;
};

struct cql_prepared {
    struct cql_prepared *next;
    struct slice text;
    struct slice id; /* null until it was prepared once */
    struct cql_metadata binds;
    const struct cql_shape *columns; /* the current one */
    struct cql_shape *shapes;
    unsigned shape_count;
};

struct cql_registry {
    struct arena arena;
    struct cql_prepared *first;
};

void cql_registry_free(struct cql_registry *registry);
/* The one of this text; a new one, not yet prepared, when there is none. */
struct cql_prepared *cql_registry_add(struct cql_registry *registry, struct slice text);
/* NULL when there is none. */
struct cql_prepared *cql_registry_find(struct cql_registry *registry, struct slice id);

/* Whether values and rows of the statement as it was prepared before still mean the same: nothing
 * to bind has changed, and no column has another type. New columns of a SELECT * are no harm. */
bool cql_prepared_fits(const struct cql_prepared *prepared,
                       const struct cql_preparation *preparation);
/* Takes over an answer to PREPARE, whose shapes are in any arena. */
void cql_prepared_update(struct cql_registry *registry, struct cql_prepared *prepared,
                         const struct cql_preparation *preparation);
/* Takes over columns that came with "metadata changed". */
void cql_prepared_reshape(struct cql_registry *registry, struct cql_prepared *prepared,
                          struct slice id, const struct cql_metadata *columns);

#endif
