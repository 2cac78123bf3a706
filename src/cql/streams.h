#ifndef CQL_STREAMS_H
#define CQL_STREAMS_H

#include "cql/connection.h"

/* Stream ids of one connection and the calls that wait under them. The id of a call that was given
 * up (an orphan) is not free before its late answer has come. */
struct cql_streams {
    struct cql_call **calls; /* by id; NULL: free */
    int16_t *free_ids;
    unsigned capacity, free_count;
    unsigned busy, orphans; /* taken by calls, by orphans */
};

enum { CQL_STREAMS_MAX = 32768 };

void cql_streams_init(struct cql_streams *streams, unsigned capacity);
void cql_streams_free(struct cql_streams *streams);
/* Sets call->stream; false when all ids are taken. */
bool cql_streams_take(struct cql_streams *streams, struct cql_call *call);
void cql_streams_orphan(struct cql_streams *streams, const struct cql_call *call);
/* Frees the id of an answer. False when nothing waits for it; *call is NULL for an orphan's. */
bool cql_streams_answered(struct cql_streams *streams, int stream, struct cql_call **call);
/* Takes a call out, from the id *at (first 0) up; NULL when none is left. */
struct cql_call *cql_streams_pop(struct cql_streams *streams, unsigned *at);

#endif
