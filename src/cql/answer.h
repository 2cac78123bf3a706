#ifndef CQL_ANSWER_H
#define CQL_ANSWER_H

#include "base/arena.h"
#include "base/attr.h"
#include "base/err.h"
#include "cql/frame.h"
#include "cql/metadata.h"
#include "cql/result.h"

/* Bodies of answers: RESULT, ERROR and EVENT, v5 specification section 4.2. All slices are
 * borrowed from the frame. */

enum { CQL_RESULT_PREPARED = 4 };

/* What a PREPARE brings; shapes live in the arena given to cql_answer_prepared. */
struct cql_preparation {
    struct slice id;
    struct slice result_id; /* v5, else null */
    struct cql_metadata binds, columns;
};

/* A RESULT of any kind but Prepared. known (may be NULL) are the columns that a request asked to
 * leave out; new_id is set (else null) when the server says that they changed. Decoded metadata
 * lives in *columns and arena. Errors: ERR_PROTOCOL. */
MUST_USE bool cql_answer_result(struct cql_reader message, const struct cql_metadata *known,
                                struct arena *arena, struct cql_metadata *columns,
                                struct cql_result *result, struct slice *new_id, struct err *err);
MUST_USE bool cql_answer_prepared(struct cql_reader message, int version, struct arena *arena,
                                  struct cql_preparation *preparation, struct err *err);
MUST_USE bool cql_answer_event(struct cql_reader message, struct cql_event *event, struct err *err);

#endif
